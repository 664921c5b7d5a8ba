// undici, the package: nothing in it departs from the usual.

export {};
