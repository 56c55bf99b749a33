import re

import numpy as np

from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.hotspots import propose
from SegAnyPETLib.pet.proposals.review import Review, State
from SegAnyPETLib.reports.whole_body.pages import review_page
from SegAnyPETLib.reports.whole_body.review_file import Origin, review_fields
from SegAnyPETLib.volume.volume import Volume


def test_the_page_of_a_review_stands_alone_and_numbers_its_candidates():
    array = np.ones((14, 12, 20), np.float32)
    array[5:9, 4:8, 9:13] = 8.0
    array[11, 10, 3:6] = 6.0
    pet = Volume(array, np.diag([-4.0, 5.0, 3.0, 1.0]), "SUVbw")
    review = Review.of(propose(pet, cut_of("suv4"), min_volume_ml=0.01)).decide([2], State.REJECTED)
    page = review_page(review_fields(review, Origin("suv4", 4.0, "fdg"), pet), pet)
    assert NOTICE in page
    assert "is no diagnosis" in page
    assert "2 candidates (1 open, 0 accepted, 1 rejected)" in page
    assert re.findall(r"<tr><td>(\d+)</td><td>(\w+)</td>", page) == [("1", "open"), ("2", "rejected")]
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
