import pytest

from toy_functions.expressions import parse
from toy_functions.latex import number


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("(x + 2*y - 7)**2", r"\left(x + 2 y - 7\right)^{2}"),
        ("x*y", "x y"),
        ("x*2", r"x \cdot 2"),
        ("2*3*x", r"2 \cdot 3 x"),
        ("2*3^x", r"2 \cdot 3^{x}"),
        ("2*(1/2)", r"2 \cdot \frac{1}{2}"),
        ("x*(1/2)", r"x \frac{1}{2}"),
        ("2*pi*e*x", r"2 \pi e x"),
        ("(x + 1)*(y - 2)", r"\left(x + 1\right) \left(y - 2\right)"),
        ("(x + y)/(2*x)", r"\frac{x + y}{2 x}"),
        ("(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
        ("x/y/2", r"\frac{\frac{x}{y}}{2}"),
        ("x - (y - 2)", r"x - \left(y - 2\right)"),
        ("x - y - 2", "x - y - 2"),
        ("x + (y + 2)", r"x + \left(y + 2\right)"),
        ("-x^2", "-x^{2}"),
        ("(-x)^2", r"\left(-x\right)^{2}"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("-x*y", "-x y"),
        ("-(x*y)", "-x y"),
        ("-x + y", "-x + y"),
        ("x - -y", r"x - \left(-y\right)"),
        ("x + (-x)*y", r"x + \left(-x y\right)"),
        ("x*-y", r"x \left(-y\right)"),
        ("--x", r"-\left(-x\right)"),
        ("+x", "x"),
        ("x^y^2", "x^{y^{2}}"),
        ("(x^y)^2", r"\left(x^{y}\right)^{2}"),
        ("x^-2", "x^{-2}"),
        ("x^(y + 1)", "x^{y + 1}"),
        ("exp(-x^2)", "e^{-x^{2}}"),
        ("exp(x)^2", r"\left(e^{x}\right)^{2}"),
        ("sin(x)^2", r"\sin\left(x\right)^{2}"),
        ("x*sin(y)", r"x \sin\left(y\right)"),
        ("sin((x))", r"\sin\left(x\right)"),
        ("sqrt(x + y)", r"\sqrt{x + y}"),
        ("abs(x)*y", r"\left|x\right| y"),
        ("log(x) + log2(x) + log10(x)", r"\ln\left(x\right) + \log_{2}\left(x\right) + \log_{10}\left(x\right)"),
        ("asin(x) + tanh(y)", r"\arcsin\left(x\right) + \tanh\left(y\right)"),
        ("1.50*x", "1.5 x"),
        ("1e-7*x", "10^{-7} x"),
        ("1.5e-7^2", r"\left(1.5 \cdot 10^{-7}\right)^{2}"),
    ],
)
def test_a_formula_reads_as_written_by_hand_with_the_brackets_it_needs(text, latex):
    assert parse(text).latex == f"f(x, y) = {latex}"


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (7.0, "7"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (123456789.0, "123456789"),
        (1e16, "10^{16}"),
        (-1e-5, "-10^{-5}"),
        (2.5e-12, r"2.5 \cdot 10^{-12}"),
    ],
)
def test_a_number_keeps_all_its_digits(value, latex):
    assert number(value) == latex
