import type { causes } from "../domain/errors/Causes.ts"
import type { CauseInfo } from "../domain/errors/index.ts"
import { aside, because, list, moment, type Texts, words } from "./words.ts"

export const causeTexts = (say: (cause: CauseInfo) => string): Texts<keyof typeof causes> => ({
  nothing_to_change: () => "nothing to change",
  dependency_not_deployed: ({ stack }) => `${stack} was not deployed`,
  waits_for_outputs: ({ outputs }) => `waits for ${list(outputs)}`,
  in_lockstep: ({ stack }) => `left as it is: ${stack} is in lockstep with it and could not be rolled back`,
  irreversible: (_, reason) => `left as it is: irreversible${aside(reason)}`,
  paused_by: ({ by }, reason) => `paused by ${by ?? "an operator"}${because(reason)}`,
  process_interrupted: () => "its process was interrupted",
  gave_way: ({ by, execution, kind }) => `it waited for a person and yielded to ${execution} (${kind} by ${by})`,
  went_back_already: () => "the execution in progress yielded and rolled back",
  started_elsewhere: (_, operation) => `${operation ?? "an operation"}, started elsewhere`,
  ran_without_store: (_, why) => `ran without the store${because(why)}`,
  reported: ({ by }, reason) => reason ?? `reported by ${by}`,
  guard_gone: () => "its guard process died",
  lease_not_renewed: () => "the lease could not be renewed in time",
  old_release_left: ({ cause }) => `the old release was left running: ${say(cause)}`,
  operation_in_flight: (_, operation) => `${operation ?? "an operation"} is in progress`,
  waits_for_operation: ({ since }, operation) =>
    `waits for ${operation ?? "an operation"} to finish${since === undefined ? "" : ` (in progress since ${moment(since)})`}`,
  operation_over: (_, operation) => `${operation ?? "an operation"} has finished`,
  resource_status: ({ resource, status }, reason) => `${resource}: ${words(status)}${aside(reason)}`,
  resource_failed: ({ resource, type }, message) =>
    `${resource ?? "a resource"}${aside(type)} failed${because(message)}`,
  stack_history: ({ earlier, stack, version }) =>
    `${stack} is at ${version}${earlier.length === 0 ? "" : ` and had ${list(earlier)}`}`,
  field_differs: ({ actual, expected, field }) => `${field} is ${actual}, not ${expected}`,
  first_release_live: () => "the platform gives a first release all traffic as soon as it is ready, before any check",
  recorded_release_unseen: ({ version }) =>
    `the record says that ${version} is deployed, but the provider sees no release: a rollback would remove the stack`,
  rollback_rebuilds: (_, why) => `a rollback has to start the old release again${because(why)}`,
  traffic_configured: ({ version }) =>
    `no requests were measured: only the configured shares say that ${version} has the traffic`,
  rollback_impossible: (_, why) => `a rollback is impossible${because(why)}`,
  response_times_not_judged: () => "response times are not judged: its metric source measures none",
  response_times_not_compared: () =>
    "response times are not compared with the stable release: its metric source has no individual ones",
  verdict_undecided: ({ findings, step, verdict }) =>
    `${step} is ${words(verdict)}: ${findings.map(say).join("; ")}. Continue?`,
  switch_ready: ({ before, version }) => `${version} is ready beside ${before ?? "the old release"}. Switch to it?`,
  credentials_needed: ({ provider }, detail) =>
    `the credentials for ${provider} have expired${aside(detail)}. Renew them, then continue?`,
  canary_ready: ({ version, weight }) => `${version} carries ${weight} % of the traffic. Continue?`
})
