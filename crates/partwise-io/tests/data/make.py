"""Writes the small files of this folder with NumPy and SciPy."""

import numpy as np
import scipy.io
import scipy.sparse as sp

# [[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4.5, 0]]
rows, cols = [0, 0, 2, 2], [1, 3, 0, 2]
vals = np.array([1, 2, 3, 4.5])
coo = sp.coo_matrix((vals, (rows, cols)), shape=(3, 4))

for fmt in ("csr", "csc", "coo"):
    m = coo.asformat(fmt)
    names = ("row", "col") if fmt == "coo" else ("indices", "indptr")
    for width in ("int32", "int64"):
        parts = {name: getattr(m, name).astype(width) for name in names}
        parts |= {"format": fmt.encode("ascii"), "shape": m.shape, "data": m.data}
        np.savez(f"{fmt}_{width}_stored.npz", **parts)
        np.savez_compressed(f"{fmt}_{width}_deflated.npz", **parts)
    sp.save_npz(f"{fmt}_scipy.npz", m)
np.savez("csr_unicode.npz", format="csr", **{n: getattr(sp.csr_matrix(coo), n) for n in ("indices", "indptr", "data", "shape")})
sp.save_npz("csr_array.npz", sp.csr_array(coo))
sp.save_npz("csr_float32.npz", sp.csr_matrix(coo).astype(np.float32))
sp.save_npz("csr_uint8.npz", sp.csr_matrix(coo).astype(np.uint8))
sp.save_npz("bsr.npz", sp.bsr_matrix(np.eye(4)))
sp.save_npz("dia.npz", sp.dia_matrix(np.eye(4)))
np.savez("dense.npz", X=np.arange(6.0).reshape(2, 3))
np.savez_compressed("two_arrays.npz", W=np.ones((2, 2)), H=np.ones((2, 3)))

grid = np.arange(6).reshape(2, 3)
for t in ("<f4", "<f8", ">f4", ">f8", "<f2", "i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8"):
    order = {"<": "le", ">": "be"}.get(t[0], "")
    np.save(f"{t.strip('<>')}{order}.npy", grid.astype(t))
np.save("bool.npy", grid % 2 == 1)
np.save("fortran.npy", np.asfortranarray(grid.astype("<f8")))
np.save("object.npy", np.array([[1, None]], dtype=object), allow_pickle=True)
np.save("text.npy", np.array([["a", "b"]]))
np.save("complex.npy", grid * 1j)
np.save("dates.npy", np.array([["2020-01-01"]], dtype="M8[D]"))
np.save("structured.npy", np.zeros((1, 2), dtype=[("a", "<i4"), ("b", "<f8")]))
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, grid.astype("<f8"), version=(2, 0))

scipy.io.mmwrite("coordinate.mtx", coo)
scipy.io.mmwrite("pattern.mtx", coo, field="pattern")
scipy.io.mmwrite("integer.mtx", coo.astype(np.int64))
scipy.io.mmwrite("array.mtx", coo.toarray())
scipy.io.mmwrite("symmetric.mtx", sp.coo_matrix(np.array([[2.0, 1, 0], [1, 0, 3], [0, 3, 5]])))
