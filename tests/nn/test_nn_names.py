"""What PyTorch's namespaces have and this library has not, by name, each with its reason."""

import inspect

import pytest

from tinygrad_course import nn, optim

ONLY_PYTORCH = (
    "about PyTorch itself: devices, quantization, memory formats, tensor subclasses, deprecated names"
)
THREE_AXES = "three axes of space: no course of this kind trains on volumes"
NOT_ASKED = "left out until somebody asks"
OTHERWISE = "there under another name, or as an argument"

FUNCTIONS = {
    ONLY_PYTORCH: """Callable DType GRID_SAMPLE_INTERPOLATION_MODES GRID_SAMPLE_PADDING_MODES Optional
        TYPE_CHECKING
        Tensor Union adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices
        handle_torch_function adaptive_max_pool3d_with_indices assert_int_or_pair boolean_dispatch
        fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices has_torch_function
        has_torch_function_unary has_torch_function_variadic importlib math max_pool1d_with_indices
        max_pool2d_with_indices max_pool3d_with_indices np reproducibility_notes scaled_grouped_mm
        scaled_mm grouped_mm sym_int tf32_notes torch upsample upsample_bilinear upsample_nearest
        warnings ScalingType SwizzleType linear_cross_entropy enum BroadcastingList1 BroadcastingList2
        BroadcastingList3 Any Sequence overload feature_alpha_dropout conv_tbc lp_pool3d""",
    THREE_AXES: """adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d conv3d conv_transpose3d dropout3d
        fractional_max_pool3d max_pool3d max_unpool3d""",
    NOT_ASKED: """affine_grid alpha_dropout channel_shuffle ctc_loss fractional_max_pool2d grid_sample
        local_response_norm lp_pool1d lp_pool2d max_unpool1d max_unpool2d multilabel_margin_loss
        multilabel_soft_margin_loss native_channel_shuffle pdist rrelu
        triplet_margin_with_distance_loss""",
    OTHERWISE: """multi_head_attention_forward hardtanh_ relu_ elu_ celu_ selu_ leaky_relu_ rrelu_
        threshold_""",
}
MODULES = {
    ONLY_PYTORCH: """Buffer LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d
        LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d
        LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear Container DataParallel NLLLoss2d ParameterDict
        SyncBatchNorm UninitializedBuffer UninitializedParameter UpsamplingBilinear2d
        UpsamplingNearest2d RNNBase RNNCellBase FeatureAlphaDropout CrossMapLRN2d
        LinearCrossEntropyLoss""",
    THREE_AXES: """AdaptiveAvgPool3d AdaptiveMaxPool3d AvgPool3d BatchNorm3d ConstantPad3d CircularPad3d
        Conv3d
        ConvTranspose3d Dropout3d FractionalMaxPool3d InstanceNorm3d LPPool3d MaxPool3d MaxUnpool3d
        ReflectionPad3d ReplicationPad3d ZeroPad3d""",
    NOT_ASKED: """AdaptiveLogSoftmaxWithLoss AlphaDropout CTCLoss ChannelShuffle CircularPad1d CircularPad2d
        ConstantPad1d ConstantPad2d FractionalMaxPool2d LPPool1d LPPool2d LocalResponseNorm MaxUnpool1d
        MaxUnpool2d MultiLabelMarginLoss MultiLabelSoftMarginLoss RReLU ReflectionPad1d ReflectionPad2d
        ReplicationPad1d ReplicationPad2d Softmax2d Transformer TransformerDecoder
        TransformerDecoderLayer TripletMarginWithDistanceLoss ZeroPad1d ZeroPad2d""",
}
OPTIMIZERS = {
    NOT_ASKED: "ASGD Adadelta Adafactor Muon Rprop SparseAdam",
}


def pytorch():
    return pytest.importorskip("torch", reason="walks PyTorch's namespaces, and it is not installed")


def missing(theirs, ours):
    return {name for name in theirs if not name.startswith("_") and not hasattr(ours, name)}


def check(found, listed, capsys, what):
    names = [name for text in listed.values() for name in text.split()]
    assert len(names) == len({*names})
    with capsys.disabled():
        asked = set(listed[NOT_ASKED].split())
        print(f"\n{what}: {len(found & asked)} of PyTorch's names are left out")
    assert found <= {*names}, f"missing without a reason: {sorted(found - {*names})}"


def test_functions_that_pytorch_has(capsys):
    functional = pytorch().nn.functional
    theirs = [n for n, f in vars(functional).items() if callable(f) and not inspect.isclass(f)]
    check(missing(theirs, nn.functional), FUNCTIONS, capsys, "nn.functional")
    here = {n for text in FUNCTIONS.values() for n in text.split() if hasattr(nn.functional, n)}
    assert not here - {"Any", "np", "math"}, "listed as missing, and there"


def test_modules_that_pytorch_has(capsys):
    module = pytorch().nn
    theirs = [n for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, module.Module)]
    check(missing(theirs, nn), MODULES, capsys, "nn")
    assert not {n for text in MODULES.values() for n in text.split() if hasattr(nn, n)}


def test_optimizers_that_pytorch_has(capsys):
    module = pytorch().optim
    theirs = [n for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, module.Optimizer)]
    check(missing(theirs, optim), OPTIMIZERS, capsys, "optim")
    assert not {n for text in OPTIMIZERS.values() for n in text.split() if hasattr(optim, n)}


@pytest.mark.parametrize("name", ["CTCLoss", "MaxUnpool2d", "Conv3d", "AlphaDropout", "LocalResponseNorm"])
def test_what_is_left_out_is_refused_by_name(name):
    with pytest.raises(AttributeError, match=f"{name}.*left out until somebody asks"):
        getattr(nn, name)
