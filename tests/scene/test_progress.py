from scene.progress import track


def test_items_pass_unchanged_and_the_bar_is_on_standard_error(capsys):
    assert list(track(range(5), "counting")) == [0, 1, 2, 3, 4]
    out, err = capsys.readouterr()
    assert out == ""
    assert "counting" in err
    assert "5/5" in err


def test_a_total_may_be_told_where_there_is_no_length(capsys):
    assert list(track(iter("ab"), "letters", total=2)) == ["a", "b"]
    assert "2/2" in capsys.readouterr().err


def test_nothing_to_do(capsys):
    assert list(track([], "nothing")) == []
