/** Causes that are no errors: why a stage was skipped, why an execution is paused, what a person is asked. */
import { cause } from "./Registry.ts"

export const causes = {
  nothing_to_change: cause({}, "The plan changes nothing."),
  dependency_not_deployed: cause({ stack: "text" }, "A stack it depends on was not deployed."),
  waits_for_outputs: cause({ outputs: "texts" }, "Outputs it needs are not known yet."),
  in_lockstep: cause({ stack: "text" }, "The stack stays as it is, because a stack in lockstep with it stays."),
  irreversible: cause({}, "The stack is irreversible; the detail is the configured reason."),
  paused_by: cause({ by: "text?" }, "An operator paused it; the detail is their reason."),
  process_interrupted: cause({}, "Its runner was stopped; `attach` carries it on."),
  gave_way: cause(
    { execution: "text", kind: "text", by: "text" },
    "It waited for a person and yielded to a queued execution."
  ),
  went_back_already: cause({}, "The execution that gave way has rolled back already."),
  started_elsewhere: cause({}, "A foreign operation, described by the detail."),
  ran_without_store: cause({}, "The command ran while the store was unreachable."),
  reported: cause({ by: "text" }, "A person reported the outcome."),
  guard_gone: cause({}, "The process that guarded the command died."),
  lease_not_renewed: cause({}, "The lease could not be renewed in time."),
  old_release_left: cause({ cause: "cause" }, "The old release could not be removed and was left running."),
  operation_in_flight: cause({}, "A foreign operation is in progress; the detail describes it."),
  waits_for_operation: cause(
    { since: "time?" },
    "The execution waits for a foreign operation in progress; the detail describes it."
  ),
  operation_over: cause({}, "A foreign operation is over; the detail describes it."),
  resource_status: cause({ resource: "text", status: "text" }, "A resource has a new status."),
  resource_failed: cause(
    { resource: "text?", type: "text?" },
    "A resource failed; the detail is the provider's message."
  ),
  stack_history: cause({ stack: "text", version: "text", earlier: "texts" }, "A stack, its version and earlier ones."),
  field_differs: cause({ field: "text", expected: "text", actual: "text" }, "A field differs from what was deployed."),
  first_release_live: cause({}, "In a plan: the platform gives the first release all traffic as soon as it is ready."),
  recorded_release_unseen: cause(
    { version: "text" },
    "In a plan: the log says that a release is deployed, but the provider sees none, so a rollback would remove the stack."
  ),
  rollback_rebuilds: cause({}, "In a plan: a rollback would have to start the old release again; the detail says why."),
  rollback_impossible: cause({}, "In a plan: the old release cannot be restored; the detail says why."),
  response_times_not_judged: cause({}, "In a plan: response times are not judged, because the metric source has none."),
  response_times_not_compared: cause(
    {},
    "In a plan: response times are not compared, because the metric source has no individual ones."
  ),
  verdict_undecided: cause(
    { step: "text", verdict: "text", findings: "causes" },
    "Question: the evidence does not suffice. Go on?"
  ),
  traffic_configured: cause(
    { version: "text" },
    "The old release is removed although no requests were measured: only the configured shares say that the new one has the traffic."
  ),
  switch_ready: cause({ version: "text", before: "text?" }, "Question: the new release is ready. Switch?"),
  credentials_needed: cause(
    { provider: "text" },
    "Question: the credentials have expired, as the detail says. Continue, once they are renewed?"
  ),
  canary_ready: cause({ version: "text", weight: "number" }, "Question: the canary carries its share. Go on?")
} as const
