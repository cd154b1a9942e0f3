"""What a person starts and does not wait for: schedules of thousands, prints, exports, a question to ClickPost.

    worker        takes jobs from the queue, any number of processes at once, and comes back when the database does
    work          does one job, whatever its kind, to its end or until it is told to stop
    bulk          an act upon each of many shipments
    printing      one PDF of many labels, and the book of who printed what
    exporting     a table of shipments as a file
    importing     an order file checked, and what is new of it taken in
    clearing      old jobs and their files, away with them
    asking        questions to ClickPost that book nothing: Test connection, priorities of a lane
    sample_event  Send a test event, to an order system
    reconciling   ClickPost's books held against ours, by the calendar
    afterwards    what nobody starts: said to ClickPost once there is an AWB

Every kind may be broken off anywhere and run twice, see `bilty.store.jobs`.
"""

from bilty.jobs.tools import Tools
from bilty.jobs.work import work
from bilty.jobs.worker import Worker

__all__ = ["Tools", "Worker", "work"]
