"""What ``symgrad`` offers besides its verbs: declarations and functions, with every hook in place."""

from symgrad.frontend import freeze as _freeze  # noqa: F401  installs Tensor's pickling
from symgrad.frontend import indexing as _indexing  # noqa: F401  installs Tensor's indexing
from symgrad.frontend.arrays import *  # noqa: F403
from symgrad.frontend.declare import *  # noqa: F403
from symgrad.frontend.declare import input as input
from symgrad.frontend.functions import *  # noqa: F403
from symgrad.frontend.functions import abs as abs
from symgrad.frontend.functions import round as round
from symgrad.frontend.products import *  # noqa: F403
from symgrad.frontend.reductions import *  # noqa: F403
from symgrad.frontend.reductions import all as all
from symgrad.frontend.reductions import any as any
from symgrad.frontend.reductions import max as max
from symgrad.frontend.reductions import min as min
from symgrad.frontend.reductions import sum as sum
from symgrad.frontend.sympy import elementwise as elementwise
from symgrad.frontend.sympy import from_sympy as from_sympy
from symgrad.frontend.sympy import to_sympy as to_sympy
from symgrad.frontend.tensor import Tensor as Tensor
from symgrad.frontend.text import parse as parse
from symgrad.frontend.windows import *  # noqa: F403
