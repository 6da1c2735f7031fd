"""Arrays, scalars and types of numpy that judge and candidate exchange (see `exchange.py`)."""

import sys


def packed_array(graph, value, kind):
    """A value of numpy as plain parts; None for any other value and for what has no such parts."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if kind is getattr(numpy, "ndarray", None) or issubclass(kind, numpy.generic):
        return _packed_items(graph, value, numpy)
    if kind is getattr(numpy, "matrix", None):
        return "matrix", graph.note(value), graph.packed(numpy.asarray(value))
    if issubclass(kind, numpy.dtype):
        described = _described(value, numpy)
        return described and ("dtype", graph.note(value), described)
    if kind is _masked_class():
        mask = None if value.mask is numpy.ma.nomask else value.mask
        return "masked", graph.note(value), *graph.packed_all((value.data, mask, value.fill_value))
    return None


def _packed_items(graph, value, numpy):
    if value.dtype.hasobject and value.dtype.names is None:
        return "objects", graph.note(value), graph.packed(value.ravel().tolist()), list(value.shape)
    described = _described(value.dtype, numpy)
    if described is None:
        return None
    form = "single" if isinstance(value, numpy.generic) else "copy" if value.flags.writeable else "constant"
    order = "F" if value.flags.fnc else "C"
    return "array", graph.note(value), described, list(value.shape), value.tobytes(order), form, order


def _described(dtype, numpy):
    """From what numpy constructs an equal type; None for a type with objects or gaps, and for that of records."""
    if dtype.names is None:
        return dtype.str
    plain = dtype.type is numpy.void and not dtype.hasobject and numpy.dtype(dtype.descr) == dtype
    return dtype.descr if plain else None


def is_numpy_class(kind):
    """Whether a class is that of numpy's arrays or of one of its scalars."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and (kind is numpy.ndarray or issubclass(kind, numpy.generic))


def _masked_class():
    return getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)


def array(graph, index, described, shape, data, form, order):
    """The array or scalar that plain parts represent."""
    import numpy

    value = numpy.frombuffer(data, dtype=numpy.dtype(described)).reshape(shape, order=order)
    return graph.at(index, value[()] if form == "single" else value.copy("K") if form == "copy" else value)


def matrix(graph, index, items):
    """The matrix that plain parts represent."""
    import numpy

    graph.at(index, None)
    items = graph.unpacked(items)
    return graph.at(index, items.view(numpy.matrix) if type(items) is numpy.ndarray else items)


def objects(graph, index, items, shape):
    """The array of objects that plain parts represent."""
    import numpy

    value = graph.at(index, numpy.empty(shape, dtype=object))
    value[...] = object_array(numpy, graph.unpacked(items), shape)
    return value


def dtype(graph, index, described):
    """The type of items that plain parts represent."""
    import numpy

    return graph.at(index, numpy.dtype(described))


def masked(graph, index, *parts):
    """The masked array that plain parts represent."""
    import numpy.ma

    graph.at(index, None)
    data, mask, fill = graph.unpacked_all(parts)
    mask = numpy.ma.nomask if mask is None else mask
    return graph.at(index, numpy.ma.MaskedArray(data, mask=mask, fill_value=fill))


def object_array(numpy, items, shape):
    """An array of objects; numpy itself would take items that are lists for rows."""
    flat = numpy.empty(len(items), dtype=object)
    for number, item in enumerate(items):
        flat[number] = item
    return flat.reshape(shape)


def array_content(value):
    """See `contents.content`."""
    structured = value.dtype.names is not None
    if not value.flags.writeable or (structured and value.dtype.hasobject):
        return None
    items = value.ravel().tolist() if value.dtype.hasobject else [value.tobytes()]
    return [value.ndim, *value.shape, *items]


def replace_array(value, items):
    """See `contents.replace_content`."""
    numpy, end = sys.modules["numpy"], 1 + items[0]
    value.shape, rest = tuple(items[1:end]), items[end:]
    if value.dtype.hasobject:
        value[...] = object_array(numpy, rest, value.shape)
    else:
        value[...] = numpy.frombuffer(rest[0], dtype=value.dtype).reshape(value.shape)


def masked_content(value):
    """See `contents.content`; None for the constant `masked`, which is a masked array as well."""
    if type(value) is not _masked_class():
        return None
    mask = sys.modules["numpy"].ma.getmaskarray(value)
    return None if mask.dtype.names else [mask.tobytes(), *(array_content(value.data) or ())]


def replace_masked(value, items):
    """See `contents.replace_content`."""
    numpy = sys.modules["numpy"]
    value.shape = tuple(items[2 : 2 + items[1]])
    replace_array(value.data, items[1:])
    value.mask = numpy.frombuffer(items[0], dtype=bool).reshape(value.shape)
