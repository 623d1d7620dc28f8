"""The Jacobian nobody forms: max(0, x) on 4096 inputs is 4096 x 4096 and diagonal."""

import numpy as np

import symgrad as sg

x = sg.input("x", (4096,))
J = sg.jacobian(sg.relu(x), x)
print("shape", J.shape, "structure", J.structure)

value = sg.compile(J)(x=np.linspace(-1, 1, 4096))
print(f"dense it would take {8 * 4096**2:,} bytes; stored: {value.nbytes:,} bytes, {value.diagonal.size} entries")
print("ones on the diagonal:", int(value.diagonal.sum()))
