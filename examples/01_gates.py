"""Gates: f = (x + y) z and its kin. The add gate distributes, the multiply gate swaps, the max gate routes."""

import symgrad as sg

x, y, z, w = sg.symbols("x y z w")

q = sg.named("q", x + y)
f = sg.named("f", q * z)
fn = sg.compile(f, wrt=[q, x, y, z], inputs=[x, y, z])
print(fn.derivation())
value, (dq, dx, dy, dz) = fn.value_and_grad(-2.0, 5.0, -4.0)
print(f"f = {value:g}, df/dq = {dq:g}, df/dx = {dx:g}, df/dy = {dy:g}, df/dz = {dz:g}\n")

routed = sg.compile(sg.named("f", 2 * (x * y + sg.maximum(z, w))), wrt=[x, y, z, w])
print(routed.derivation())
value, gradient = routed.value_and_grad(3.0, -4.0, 2.0, -1.0)
print(f"f = {value:g}, gradients {', '.join(f'{g:g}' for g in gradient)}\n")

branch = sg.compile(sg.named("f", x * y + x), wrt=[x, y])
print(branch.derivation())
value, gradient = branch.value_and_grad(3.0, -4.0)
print(f"f = {value:g}, gradients {', '.join(f'{g:g}' for g in gradient)}: x feeds two gates, so its gradients add")
