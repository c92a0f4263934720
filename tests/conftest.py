"""One thread each: tests are many, tiny, and run two at a time."""

import threadpoolctl
import torch

torch.set_num_threads(1)
threadpoolctl.threadpool_limits(limits=1)
