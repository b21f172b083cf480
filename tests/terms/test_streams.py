import threading

from likeness.terms import in_parallel


def test_results_come_in_the_order_of_the_items() -> None:
    assert list(in_parallel(lambda item: item * 2, range(20), 3)) == [2 * one for one in range(20)]


def test_a_stream_may_end_in_one_of_its_own_threads() -> None:
    taken, ended = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def work(item: int) -> int:
        if item == 3:
            taken.wait(10)
            try:
                stream.close()
            except RuntimeError as error:
                errors.append(error)
            ended.set()
        return item

    stream = in_parallel(work, range(4), 2)
    assert next(stream) == 0
    # As garbage is collected in whatever thread that happens.
    taken.set()
    assert ended.wait(10)
    assert errors == []
