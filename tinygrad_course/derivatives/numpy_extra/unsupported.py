"""NumPy functions that have no row, by name: those that refuse a Value and why, and those that never see one.

Every other public function of numpy and numpy.linalg has a row, or is in `plain`.
"""

_REASONS = {
    "it takes whole numbers, and a Value holds real ones": """
        bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
        bitwise_xor invert left_shift right_shift gcd lcm ix_ packbits unpackbits ravel_multi_index
        unravel_index""",
    "it takes dates, and a Value holds real numbers": """
        busday_count busday_offset datetime_as_string is_busday isnat""",
    "it writes into an existing array, which a record cannot follow; write v.at[index].set(x)": """
        copyto fill_diagonal place put put_along_axis putmask""",
    "its results may be complex, and a Value holds real numbers": "roots sort_complex",
    "its numbers are complex, and a Value holds real ones; tinygrad_course.scipy.signal.convolve records": """
        fft fft2 fftn ifft ifft2 ifftn rfft rfft2 rfftn irfft irfft2 irfftn hfft ihfft""",
    "it counts, and counts are flat in the data": "histogram histogram2d histogramdd histogram_bin_edges",
    "it writes a file, which keeps no record": "save savetxt savez savez_compressed",
}

UNSUPPORTED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
"""Name of a function that cannot take a Value -> why, in one phrase."""

_NEVER_ASKED = {
    "make arrays of numbers, lists and files": """
        arange array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat
        empty eye from_dlpack frombuffer fromfile fromfunction fromiter fromregex fromstring full genfromtxt
        identity indices load loadtxt ones require tri zeros bartlett blackman hamming hanning kaiser
        diag_indices mask_indices tril_indices triu_indices""",
    "make functions and iterators": "frompyfunc nested_iters",
    "ask about shapes, dtypes and settings, or write text": """
        broadcast_shapes isdtype isfortran isscalar issubdtype iterable mintypecode promote_types typename
        base_repr binary_repr datetime_data format_float_positional format_float_scientific get_include
        get_printoptions getbufsize geterr geterrcall info printoptions set_printoptions setbufsize seterr
        seterrcall show_config show_runtime test""",
    "are older names that call a function that has a row": "row_stack trapz",
}

NEVER_ASKED = {name for names in _NEVER_ASKED.values() for name in names.split()}
"""Functions that NumPy never hands a Value.  Given one all the same, those that want its numbers raise."""
