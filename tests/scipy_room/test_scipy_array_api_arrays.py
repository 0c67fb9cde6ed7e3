"""The rest of SciPy's functions that support the array API: ndimage, fft, cluster, signal, interpolate.

A line a function, as in test_scipy_array_api.py, which has those of special, stats, integrate, linalg,
constants and optimize.  Left out are functions that take functions (generic_filter, geometric_transform,
differentiate, optimize.elementwise) and those that are given nothing but whole numbers and names (buttap,
savgol_coeffs, to_tree, windows without a parameter).
"""

import json
import warnings

import numpy as np
import pytest
import test_scipy_array_api as elsewhere
from test_scipy_array_api import MATRIX, X, Y, one, three, two

IMAGE = MATRIX[:5, :5].copy()
KERNEL = np.array([[0.2, 0.5], [0.3, 0.1]])
LONG = np.cos(np.arange(40.0)) + 0.02 * np.arange(40.0)
PLACES = np.cumsum(X)
SECTIONS = np.array([[0.2, 0.3, 0.1, 1.0, 0.4, 0.2]])
TREE = np.array([[0.0, 1.0, 0.3, 2.0], [2.0, 3.0, 0.5, 2.0], [4.0, 5.0, 0.9, 4.0]])
ROUGH = np.array([[0.3, 0.0, 1.0, 0.0], [0.5, 0.0, 1.0, 0.0], [0.6, 0.3, 3.0, 1.1]])

image = ((IMAGE,), lambda f, a: f(a))
with_kernel = ((IMAGE, KERNEL), lambda f, a, k: f(a, k))
with_row = ((IMAGE, Y[:3]), lambda f, a, k: f(a, k))
with_three = ((IMAGE,), lambda f, a: f(a, 3))
with_sigma = ((IMAGE,), lambda f, a: f(a, 0.7))
with_shift = ((IMAGE,), lambda f, a: f(a, [0.3, 0.6]))
between = ((IMAGE,), lambda f, a: f(a, 0.0, 2.0, 4))
ranked = ((IMAGE,), lambda f, a: f(a, np.ones((3, 3)), 1))
series_of_three = ((X,), lambda f, a: f(a, 3))
in_steps = ((X,), lambda f, a: f(a, 2, 3))
coefficients = ((X[:3], Y[:3], X), lambda f, b, a, x: f(b, a, x))
both_ways = ((X[:3], Y[:3] + np.eye(3)[0], LONG), lambda f, b, a, x: f(b, a, x))
sections = ((SECTIONS,), lambda f, a: f(a))
sections_and_series = ((SECTIONS, X), lambda f, a, x: f(a, x))
sections_both_ways = ((SECTIONS, LONG), lambda f, a, x: f(a, x))
order_and_one = ((X[:1],), lambda f, a: f(3, a[0]))
order_and_two = ((X[:1],), lambda f, a: f(3, 1.0, a[0]))
order_and_three = ((X[:1],), lambda f, a: f(3, 1.0, 20.0, a[0]))
bands = ((X[:2],), lambda f, a: f(a[0], a[1], 1.0, 40.0))
notch = ((X[:2],), lambda f, a: f(a[0], 30 * a[1]))
count_and_one = ((X[:1],), lambda f, a: f(8, a[0]))
count_and_two = ((X[:2],), lambda f, a: f(8, a[0], a[1]))
count_and_all = ((X[:3],), lambda f, a: f(8, a))
decay = ((X[:1],), lambda f, a: f(8, None, a[0]))
points = ((X.reshape(4, 2),), lambda f, a: f(a))
systems = ((X[:2], Y[:2], X[:1]), lambda f, z, p, k: f(z, p, k[0]))
smoothed = ((X,), lambda f, a: f(a, 5, 2))
tree = ((TREE,), lambda f, a: f(a))
counted_tree = ((np.add(TREE, [1, 1, 0, 0]),), lambda f, a: f(a))
cut_tree = ((TREE,), lambda f, a: f(a, 0.6))
trees = ((TREE,), lambda f, a: f(a, TREE))
rough_tree = ((TREE,), lambda f, a: f(a, ROUGH))
rough_column = ((TREE,), lambda f, a: f(a, ROUGH, 1))
led_tree = ((TREE,), lambda f, a: f(a, np.array([1, 1, 2, 2], np.int32)))
tree_of_distances = ((TREE, X[:6]), lambda f, a, b: f(a, b))
knots = ((PLACES, Y), lambda f, x, y: f(x, y)(np.array([0.5, 1.1, 2.3])))
slopes = ((PLACES, Y, X), lambda f, x, y, d: f(x, y, d)(np.array([0.5, 1.1, 2.3])))
basis = ((PLACES, Y[:4]), lambda f, t, c: f(t, c, 3)(np.array([2.3])))
pieces = ((MATRIX[:3, :7], PLACES), lambda f, c, x: f(c, x)(np.array([0.5, 1.1])))
scattered = ((X.reshape(4, 2), Y[:4]), lambda f, x, y: f(x, y)(X[:4].reshape(2, 2)))
gridded = ((PLACES[:5], IMAGE), lambda f, x, y: f((x, x), y)(np.array([[0.5, 1.1]])))
least_squares = ((PLACES, Y), lambda f, x, y: f(x, y, [0.3] * 4 + [2.0] + [4.5] * 4)(np.array([1.1])))

RECORDS = {
    "cluster.vq.whiten": one,
    "fft.fftfreq": order_and_one,
    "fft.rfftfreq": order_and_one,
    "signal.abcd_normalize": order_and_two,
    "signal.bilinear_zpk": ((X[:2], Y[:2], X[:1]), lambda f, z, p, k: f(z, p, k[0], 1.0)),
    "signal.cheb1ord": bands,
    "signal.cheb2ord": bands,
    "signal.firwin": order_and_one,
    "signal.gauss_spline": with_three,
    "signal.lfiltic": three,
    "signal.lp2bp": two,
    "signal.lp2bs": two,
    "signal.lp2hp_zpk": three,
    "signal.lp2lp": two,
    "signal.lp2lp_zpk": three,
    "signal.normalize": two,
    "signal.sos2tf": image,
    "signal.windows.exponential": decay,
    "signal.windows.gaussian": count_and_one,
    "signal.windows.general_cosine": count_and_all,
    "signal.windows.general_gaussian": count_and_two,
    "signal.zpk2tf": in_steps,
}

# Compiled inside, or complex on the way
REFUSES = {
    "cluster.hierarchy.average": points,
    "cluster.hierarchy.centroid": points,
    "cluster.hierarchy.complete": points,
    "cluster.hierarchy.cophenet": tree,
    "cluster.hierarchy.dendrogram": tree,
    "cluster.hierarchy.fcluster": cut_tree,
    "cluster.hierarchy.fclusterdata": cut_tree,
    "cluster.hierarchy.from_mlab_linkage": counted_tree,
    "cluster.hierarchy.inconsistent": tree,
    "cluster.hierarchy.leaders": led_tree,
    "cluster.hierarchy.leaves_list": tree,
    "cluster.hierarchy.linkage": points,
    "cluster.hierarchy.maxRstat": rough_column,
    "cluster.hierarchy.maxdists": tree,
    "cluster.hierarchy.maxinconsts": trees,
    "cluster.hierarchy.median": points,
    "cluster.hierarchy.optimal_leaf_ordering": tree_of_distances,
    "cluster.hierarchy.single": points,
    "cluster.hierarchy.ward": points,
    "cluster.hierarchy.weighted": points,
    "cluster.vq.kmeans": two,
    "cluster.vq.kmeans2": two,
    "cluster.vq.vq": two,
    "fft.dct": one,
    "fft.dctn": one,
    "fft.dst": one,
    "fft.dstn": one,
    "fft.fft": one,
    "fft.fft2": image,
    "fft.fftn": one,
    "fft.fftshift": one,
    "fft.fht": in_steps,
    "fft.hfft": one,
    "fft.hfft2": image,
    "fft.hfftn": one,
    "fft.idct": one,
    "fft.idctn": one,
    "fft.idst": one,
    "fft.idstn": one,
    "fft.ifft": one,
    "fft.ifft2": image,
    "fft.ifftn": one,
    "fft.ifftshift": one,
    "fft.ifht": in_steps,
    "fft.ihfft": one,
    "fft.ihfft2": image,
    "fft.ihfftn": one,
    "fft.irfft": one,
    "fft.irfft2": image,
    "fft.irfftn": one,
    "fft.rfft": one,
    "fft.rfft2": image,
    "fft.rfftn": one,
    "interpolate.Akima1DInterpolator": knots,
    "interpolate.BPoly": pieces,
    "interpolate.BSpline": basis,
    "interpolate.CubicHermiteSpline": slopes,
    "interpolate.CubicSpline": knots,
    "interpolate.NdBSpline": ((Y,), lambda f, c: f((np.arange(len(Y) + 4.0),), c, 3)(np.array([[4.0]]))),
    "interpolate.PPoly": pieces,
    "interpolate.PchipInterpolator": knots,
    "interpolate.RBFInterpolator": scattered,
    "interpolate.RegularGridInterpolator": gridded,
    "interpolate.generate_knots": ((LONG,), lambda f, a: list(f(np.arange(40.0), a))[-1]),
    "interpolate.make_interp_spline": knots,
    "interpolate.make_lsq_spline": least_squares,
    "interpolate.make_smoothing_spline": knots,
    "interpolate.make_splprep": ((LONG,), lambda f, a: f([a, a**2])[1]),
    "interpolate.make_splrep": knots,
    "interpolate.pchip": knots,
    "ndimage.affine_transform": with_shift,
    "ndimage.binary_closing": image,
    "ndimage.binary_dilation": image,
    "ndimage.binary_erosion": image,
    "ndimage.binary_fill_holes": image,
    "ndimage.binary_hit_or_miss": image,
    "ndimage.binary_opening": image,
    "ndimage.binary_propagation": image,
    "ndimage.black_tophat": with_three,
    "ndimage.center_of_mass": image,
    "ndimage.convolve": with_kernel,
    "ndimage.convolve1d": with_shift,
    "ndimage.correlate": with_kernel,
    "ndimage.correlate1d": with_shift,
    "ndimage.distance_transform_bf": image,
    "ndimage.distance_transform_cdt": image,
    "ndimage.distance_transform_edt": image,
    "ndimage.extrema": image,
    "ndimage.find_objects": with_three,
    "ndimage.fourier_ellipsoid": with_three,
    "ndimage.fourier_gaussian": with_three,
    "ndimage.fourier_shift": with_three,
    "ndimage.fourier_uniform": with_three,
    "ndimage.gaussian_filter": with_three,
    "ndimage.gaussian_filter1d": with_three,
    "ndimage.gaussian_gradient_magnitude": with_three,
    "ndimage.gaussian_laplace": with_three,
    "ndimage.grey_closing": with_three,
    "ndimage.grey_dilation": with_three,
    "ndimage.grey_erosion": with_three,
    "ndimage.grey_opening": with_three,
    "ndimage.histogram": between,
    "ndimage.iterate_structure": with_three,
    "ndimage.label": image,
    "ndimage.laplace": image,
    "ndimage.map_coordinates": with_kernel,
    "ndimage.maximum": image,
    "ndimage.maximum_filter": with_three,
    "ndimage.maximum_filter1d": with_three,
    "ndimage.maximum_position": image,
    "ndimage.mean": image,
    "ndimage.median": image,
    "ndimage.median_filter": with_three,
    "ndimage.minimum": image,
    "ndimage.minimum_filter": with_three,
    "ndimage.minimum_filter1d": with_three,
    "ndimage.minimum_position": image,
    "ndimage.morphological_gradient": with_three,
    "ndimage.morphological_laplace": with_three,
    "ndimage.percentile_filter": in_steps,
    "ndimage.prewitt": image,
    "ndimage.rank_filter": in_steps,
    "ndimage.rotate": with_three,
    "ndimage.shift": with_three,
    "ndimage.sobel": image,
    "ndimage.spline_filter": image,
    "ndimage.spline_filter1d": image,
    "ndimage.standard_deviation": image,
    "ndimage.sum": image,
    "ndimage.sum_labels": image,
    "ndimage.uniform_filter": image,
    "ndimage.uniform_filter1d": with_three,
    "ndimage.value_indices": image,
    "ndimage.variance": image,
    "ndimage.vectorized_filter": ((IMAGE,), lambda f, a: f(a, np.mean, size=3)),
    "ndimage.watershed_ift": ((IMAGE,), lambda f, a: f(a, np.eye(5, dtype=np.int8))),
    "ndimage.white_tophat": with_three,
    "ndimage.zoom": with_three,
    "signal.bessel": order_and_one,
    "signal.bilinear": two,
    "signal.bode": coefficients,
    "signal.butter": order_and_one,
    "signal.buttord": bands,
    "signal.cheb1ap": order_and_one,
    "signal.cheb2ap": order_and_one,
    "signal.cheby1": order_and_two,
    "signal.cheby2": order_and_two,
    "signal.choose_conv_method": two,
    "signal.convolve": two,
    "signal.convolve2d": with_kernel,
    "signal.correlate": two,
    "signal.correlate2d": with_kernel,
    "signal.cspline1d": one,
    "signal.cspline1d_eval": two,
    "signal.cspline2d": image,
    "signal.deconvolve": two,
    "signal.detrend": one,
    "signal.ellipap": order_and_two,
    "signal.ellipord": bands,
    "signal.envelope": one,
    "signal.fftconvolve": two,
    "signal.filtfilt": both_ways,
    "signal.firls": ((Y[:4],), lambda f, a: f(5, [0.0, 0.3, 0.6, 1.0], a)),
    "signal.firwin2": ((Y[:3],), lambda f, a: f(5, [0.0, 0.5, 1.0], a)),
    "signal.freqs": three,
    "signal.freqs_zpk": between,
    "signal.freqz": one,
    "signal.freqz_sos": sections,
    "signal.freqz_zpk": between,
    "signal.get_window": ((X[:1],), lambda f, a: f(("kaiser", a[0]), 5)),
    "signal.group_delay": systems,
    "signal.hilbert": one,
    "signal.hilbert2": one,
    "signal.iirdesign": bands,
    "signal.iirfilter": count_and_all,
    "signal.impulse": ((X[:2], Y[:3]), lambda f, b, a: f((b, a))),
    "signal.lfilter": three,
    "signal.lfilter_zi": two,
    "signal.lp2bp_zpk": three,
    "signal.lp2bs_zpk": three,
    "signal.lp2hp": three,
    "signal.medfilt": one,
    "signal.medfilt2d": image,
    "signal.minimum_phase": one,
    "signal.oaconvolve": two,
    "signal.order_filter": ranked,
    "signal.place_poles": ((IMAGE[:2, :2], KERNEL), lambda f, a, b: f(a, b, [-1.0, -2.0])),
    "signal.qspline1d": one,
    "signal.qspline1d_eval": three,
    "signal.remez": ((Y[:2],), lambda f, a: f(5, [0.0, 0.1, 0.3, 0.5], a)),
    "signal.resample": with_three,
    "signal.resample_poly": in_steps,
    "signal.savgol_filter": smoothed,
    "signal.sos2zpk": image,
    "signal.sosfilt": sections_and_series,
    "signal.sosfilt_zi": sections,
    "signal.sosfiltfilt": sections_both_ways,
    "signal.sosfreqz": sections,
    "signal.spline_filter": image,
    "signal.tf2sos": two,
    "signal.tf2zpk": two,
    "signal.upfirdn": two,
    "signal.vectorstrength": two,
    "signal.wiener": one,
    "signal.windows.chebwin": count_and_one,
    "signal.windows.general_hamming": count_and_one,
    "signal.windows.kaiser": count_and_one,
    "signal.windows.kaiser_bessel_derived": count_and_one,
    "signal.windows.taylor": ((X[:1],), lambda f, a: f(5, sll=a[0])),
    "signal.windows.tukey": count_and_one,
    "signal.zpk2sos": systems,
}

# Whole numbers and truths; or what has a slope asks for a float, which a single entry gives: f(v.item())
PLAIN = {
    "cluster.hierarchy.correspond": tree_of_distances,
    "cluster.hierarchy.is_isomorphic": two,
    "cluster.hierarchy.is_monotonic": tree,
    "cluster.hierarchy.is_valid_im": tree,
    "cluster.hierarchy.is_valid_linkage": tree,
    "cluster.hierarchy.num_obs_linkage": tree,
    "signal.ellip": order_and_three,
    "signal.gammatone": ((X[:1],), lambda f, a: f(a[0], "iir", fs=16.0)),
    "signal.iircomb": ((X[:1],), lambda f, a: f(0.25, a[0], fs=1.0)),
    "signal.iirnotch": notch,
    "signal.iirpeak": notch,
    "signal.windows.barthann": count_and_one,
    "signal.windows.bartlett": count_and_one,
    "signal.windows.blackman": count_and_one,
    "signal.windows.blackmanharris": count_and_one,
    "signal.windows.bohman": count_and_one,
    "signal.windows.boxcar": count_and_one,
    "signal.windows.cosine": count_and_one,
    "signal.windows.flattop": count_and_one,
    "signal.windows.hamming": count_and_one,
    "signal.windows.hann": count_and_one,
    "signal.windows.nuttall": count_and_one,
    "signal.windows.parzen": count_and_one,
    "signal.windows.triang": count_and_one,
}


@pytest.fixture(scope="module")
def outcomes():
    return elsewhere.in_new_python(__file__)


@pytest.mark.parametrize("name", RECORDS)
def test_it_records_and_is_right(outcomes, name):
    assert outcomes.get(name, "records") == "records"


@pytest.mark.parametrize("name", REFUSES)
def test_it_refuses_and_says_so(outcomes, name):
    """Or a later SciPy lets it record."""
    said = outcomes.get(name, "records")
    assert said == "records" or said.startswith("refuses: ")


@pytest.mark.parametrize("name", PLAIN)
def test_its_result_is_plain(outcomes, name):
    assert outcomes.get(name, "plain") == "plain"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(elsewhere.all_outcomes({**RECORDS, **REFUSES, **PLAIN})))
