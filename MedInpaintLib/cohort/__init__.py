"""Cohorts: a whole study with one command. A front end makes a plan, a scheduler runs it, and what was done is kept.

* :mod:`.table`, :mod:`.patterns`: front ends, which yield the same :class:`.plan.Plan`;
* :mod:`.fill`, :mod:`.evaluate`, :mod:`.impute`: what a cohort knows of a kind of job;
* :mod:`.local`: a :class:`.scheduler.Scheduler`, here of worker processes;
* :mod:`.work`: one case, done at most once, in whatever process;
* :mod:`.run`: the plan from beginning to end.
"""
