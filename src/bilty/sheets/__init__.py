"""Workbooks as others send them, read in a process apart: rows of text come out, whatever the file does to its reader.

reading   starts that process, and hands on its rows
__main__  that process
errors    the cells in which a formula has failed, of which the library says nothing
"""
