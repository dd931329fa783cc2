"""Tables of results: pandas and HTML."""

from dsentropy._results.tabular import Tabular


class Numbers(Tabular):
    """A table of squares."""

    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return f"<Numbers & squares of {self.n}>"

    def to_dict(self):
        return {"name": [f"<{i}>" for i in range(self.n)], "square": [i**2 / 3 for i in range(self.n)]}


def test_a_notebook_shows_caption_head_and_rows():
    assert Numbers(2)._repr_html_() == (
        '<div style="overflow-x:auto"><table>'
        '<caption style="text-align:left">&lt;Numbers &amp; squares of 2&gt;</caption>'
        "<thead><tr><th>name</th><th>square</th></tr></thead>"
        "<tbody><tr><td>&lt;0&gt;</td><td>0</td></tr><tr><td>&lt;1&gt;</td><td>0.3333</td></tr></tbody></table></div>"
    )


def test_a_long_table_is_cut_in_its_middle():
    whole, cut = Numbers(20)._repr_html_(), Numbers(21)._repr_html_()
    assert whole.count("<tr>") == 1 + 20
    assert "..." not in whole
    assert cut.count("<tr>") == 1 + 20 + 1
    assert "<td>&lt;9&gt;</td><td>27</td></tr><tr><td>...</td><td>...</td></tr><tr><td>&lt;11&gt;</td>" in cut


def test_a_table_without_rows_has_its_head():
    assert (
        Numbers(0)
        ._repr_html_()
        .endswith("<thead><tr><th>name</th><th>square</th></tr></thead><tbody></tbody></table></div>")
    )


def test_pandas_has_the_columns():
    frame = Numbers(3).to_pandas()
    assert list(frame.columns) == ["name", "square"]
    assert len(frame) == 3
