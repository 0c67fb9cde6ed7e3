"""Cases of moving entries around."""

import numpy as np

from rows.registry import Call, arrays, axes, call, case, shapes, st, torch


@st.composite
def rolled(draw):
    x = draw(arrays())
    axis = draw(axes(x.ndim).filter(lambda a: a != ()))
    shift = st.integers(-5, 5)
    if isinstance(axis, tuple):
        shift = st.lists(shift, min_size=len(axis), max_size=len(axis)).map(tuple)
    return Call((x, draw(shift)), {"axis": axis} if axis is not None or draw(st.booleans()) else {})


@st.composite
def turned(draw):
    x = draw(arrays(shapes(min_dims=2)))
    first, second = draw(st.permutations(range(x.ndim)))[:2]
    kwargs = {"k": draw(st.integers(-5, 5)), "axes": (first, second - x.ndim)}
    return Call((x,), draw(st.sampled_from([kwargs, {}, {"k": 2}])))


@st.composite
def rolled_axis(draw):
    x = draw(arrays(shapes(min_dims=1)))
    return Call((x, draw(st.integers(-x.ndim, x.ndim - 1)), draw(st.integers(-x.ndim, x.ndim))))


@st.composite
def halved(draw):
    x = draw(arrays(shapes(min_dims=1)))
    return Call((x,), {"axes": draw(axes(x.ndim).filter(lambda a: a != ()))} if draw(st.booleans()) else {})


@st.composite
def windowed(draw):
    x = draw(arrays(shapes(min_dims=1)).filter(lambda x: 0 not in x.shape))
    if draw(st.booleans()):
        return Call((x, tuple(draw(st.integers(1, n)) for n in x.shape)))
    axis = draw(st.integers(-x.ndim, x.ndim - 1))
    return Call((x, draw(st.integers(1, x.shape[axis])), axis))


case(np.fft.fftshift, halved())
case(np.fft.ifftshift, halved())
case(np.lib.stride_tricks.sliding_window_view, windowed())
case(np.roll, rolled())
case(np.roll, call(arrays((2, 3)), st.integers(-4, 4)), torch="roll")
case(np.rot90, turned())
case(np.rot90, call(arrays((2, 3)), st.integers(-4, 4)), torch="rot90")
case(np.rollaxis, rolled_axis())
case(np.fliplr, call(arrays(shapes(min_dims=2))), torch="fliplr")
case(np.flipud, call(arrays(shapes(min_dims=1))), torch="flipud")


# Padding
@st.composite
def padded(draw, options, least=1, distinct=False):
    """Any way to write the widths; `options` are keywords by name, drawn for the number of axes."""
    x = draw(
        arrays(shapes(min_dims=1, max_dims=3, min_side=least, max_side=3, max_size=8), distinct=distinct)
    )
    width = st.integers(0, 4)
    pair = st.tuples(width, width)
    widths = draw(width | pair | st.lists(pair, min_size=x.ndim, max_size=x.ndim))
    kwargs = {
        name: draw(make(x.ndim)) for name, make in options.items() if name == "mode" or draw(st.booleans())
    }
    return Call((x, widths), kwargs)


def per_end(entries):
    """A number for all ends, or a pair an axis."""
    return lambda ndim: entries | st.lists(st.tuples(entries, entries), min_size=ndim, max_size=ndim)


def mode(*names):
    return {"mode": lambda ndim: st.sampled_from(names)}


number = st.sampled_from([0.0, 0.5, -1.0])
reflected = {"reflect_type": lambda ndim: st.sampled_from(["even", "odd"])}
lengths = {"stat_length": per_end(st.integers(1, 4))}
case(np.pad, padded({"constant_values": per_end(number)}, least=0))
case(np.pad, padded(mode("edge", "wrap")))
case(np.pad, padded({**mode("reflect", "symmetric"), **reflected}))
case(np.pad, padded({**mode("linear_ramp"), "end_values": per_end(number)}))
case(np.pad, padded({**mode("mean"), **lengths}))
case(
    np.pad,
    call(arrays((2, 3)), st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda pair: ((0, 0), pair))),
    torch=torch and (lambda x, widths: torch.nn.functional.pad(x, widths[1])),
)
case(np.pad, padded({**mode("maximum", "minimum", "median"), **lengths}, distinct=True))
