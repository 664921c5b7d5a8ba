"""What a kind of sandbox needs around it: an upstream to call, a way to start functions, the kernel's view."""
