import pytest

from facegate.evaluation.parallel import in_order


def test_results_come_in_the_order_of_the_pieces():
    assert list(in_order(lambda piece: piece * piece, range(9))) == [k * k for k in range(9)]
    assert list(in_order(str, [])) == []


def test_the_earliest_failure_is_raised():
    def work(piece: int) -> int:
        if piece >= 2:
            raise ValueError(f"piece {piece}")
        return piece

    found = in_order(work, range(50))
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="piece 2"):
        next(found)
