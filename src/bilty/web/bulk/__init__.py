"""Shipments by the stream: read row by row, kept in sets, told row by row, in little memory whatever its length.

`reading` turns what comes in into rows; `waiting` holds those that are not kept yet; `keeping` writes them in sets;
`results` says what became of each; `spool` holds what is not read yet; `stream` does all that at the same time.
"""
