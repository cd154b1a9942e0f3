"""Requests that leave the house: to ClickPost, to hosts of labels, to order systems.

`http` is the one module that speaks HTTP; `addresses` says which hosts are inside somebody's network, and `pins` that
nobody gets there by a name that changes; `redaction` keeps secrets out of what comes back.
"""
