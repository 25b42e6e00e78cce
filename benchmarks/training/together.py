"""Several processes that learn one network: each follows its own order of the data and now and then takes the mean with the others.

Local SGD with periodic averaging (Stich 2018), through files and without waiting for anyone, as the processes share busy cores."""
import os

import torch


class Together:
    def __init__(self, folder, worker, workers):
        self.folder, self.worker, self.workers = folder, worker, workers
        self.read = {}
        os.makedirs(folder, exist_ok=True)

    def _file(self, worker):
        return os.path.join(self.folder, f"worker-{worker}.pt")

    def meet(self, net):
        """Leaves the weights for the others; becomes the mean of its own and those that are new since it last looked."""
        if self.workers == 1:
            return
        own = net.state_dict()
        part = self._file(self.worker) + ".part"
        torch.save(own, part)
        os.replace(part, self._file(self.worker))
        states = [own]
        for other in range(self.workers):
            try:
                changed = os.stat(self._file(other)).st_mtime_ns
                if other == self.worker or self.read.get(other) == changed:
                    continue
                states.append(torch.load(self._file(other), weights_only=True))
                self.read[other] = changed
            except FileNotFoundError:
                continue
        if len(states) > 1:
            mean = {
                name: torch.stack([s[name] for s in states]).mean(0) if value.is_floating_point() else value
                for name, value in own.items()
            }
            net.load_state_dict(mean)
