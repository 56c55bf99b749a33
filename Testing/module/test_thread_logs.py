"""What our threads log, in an application that logs everything and makes Qt objects for it."""

import logging
import threading

from Testing.module.held_backend import HeldBackend


def lines(user, logger):
    return [line for line in user.harness.root_logger.log.lines if line.startswith(logger)]


def log_in_another_thread(*what):
    thread = threading.Thread(target=logging.getLogger("somebody").info, args=what)
    thread.start()
    thread.join()


def test_what_another_thread_logs_is_handled_on_the_gui_thread(unopened) -> None:
    changing = ["before"]
    log_in_another_thread("said %s", changing)
    changing[0] = "after"
    assert lines(unopened, "somebody") == []
    unopened.until(lambda: lines(unopened, "somebody"), 5.0)
    assert lines(unopened, "somebody") == ["somebody: said ['before']"]
    assert unopened.harness.root_logger.log.misplaced == []


def test_what_the_gui_thread_logs_is_handled_at_once(unopened) -> None:
    logging.getLogger("somebody").debug("here")
    assert lines(unopened, "somebody") == ["somebody: here"]


def test_a_handler_that_comes_later_is_diverted_too(unopened) -> None:
    from Testing.slicer_harness.application_log import ApplicationLog

    later = ApplicationLog()
    logging.getLogger().addHandler(later)
    try:
        unopened.panel._logs.deliver()
        log_in_another_thread("late")
        unopened.panel._logs.deliver()
    finally:
        logging.getLogger().removeHandler(later)
    assert later.misplaced == []
    assert "somebody: late" in later.lines


def test_nothing_is_lost_or_held_back_after_the_module_has_gone(unopened) -> None:
    log_in_another_thread("waits")
    unopened.widget.cleanup()
    assert lines(unopened, "somebody") == ["somebody: waits"]
    assert all(not handler.filters for handler in logging.getLogger().handlers)


def test_a_click_that_asks_a_server_logs_no_line_of_the_library_that_asks(unopened) -> None:
    class AskingBackend(HeldBackend):
        def predict(self, image, targets):
            logging.getLogger("httpx").info("HTTP Request: POST")
            logging.getLogger("httpcore.http11").debug("send_request_headers.started")
            return super().predict(image, targets)

    unopened.add_pet()
    unopened.use(AskingBackend(held=False))
    unopened.click((12, 12, 10))
    unopened.panel._logs.deliver()
    assert unopened.names() == ["Lesion 1"]
    assert lines(unopened, "http") == []
