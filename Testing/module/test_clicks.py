"""Clicks in the panel become segments."""


def test_a_click_makes_a_segment_and_undo_takes_both_back(user) -> None:
    user.click((12, 12, 10))
    assert user.names() == ["Lesion 1"]
    assert user.mask()[12, 12, 10]
    assert user.points() == [((40, 48, 48), True)]
    user.press("undoButton")
    user.rest()
    assert user.names() == []
    user.press("redoButton")
    user.rest()
    assert user.names() == ["Lesion 1"]
    assert user.points() == [((40, 48, 48), True)]
    assert user.ui.targetLabel.text == "Clicks go to Lesion 1."
