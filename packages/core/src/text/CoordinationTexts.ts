import type { coordinationErrors } from "../domain/errors/CoordinationErrors.ts"
import { purposeText } from "./purposeText.ts"
import { aside, because, moment, span, type Texts, words } from "./words.ts"

const until = (at: number | undefined): string => (at === undefined ? "" : `; until ${moment(at)}`)

const newerStates: Readonly<Record<string, string>> = {
  deployed: "already deployed",
  deploying: "being deployed",
  queued: "queued ahead"
}

export const coordinationTexts: Texts<keyof typeof coordinationErrors> = {
  blocked_by_lease: ({ by, deployment, environment, execution, isDead, kind, leftMs, until: end }) => {
    const left =
      leftMs === undefined
        ? ""
        : isDead === true
          ? `; its process is gone, and the lease expires in ${span(leftMs)}`
          : `; unless renewed, it expires in ${span(leftMs)}`
    return `${execution} holds the lease on ${deployment} ${environment}${kind === undefined ? "" : aside(purposeText({ kind, by }))}${left}${until(end)}`
  },
  blocked_by_queue: ({ by, deployment, environment, execution, kind, until: end }) =>
    `${execution} is queued ahead for ${deployment} ${environment} (${kind} by ${by})${until(end)}`,
  blocked_by_lock: ({ by, environment, until: end }, reason) =>
    `${environment} is locked by ${by}${because(reason)}${until(end)}`,
  blocked_by_freeze: ({ environment, freeze, until: end }, reason) =>
    `${environment} is frozen: ${freeze}${aside(reason)}${until(end)}`,
  blocked_by_veto: ({ by, until: end, version }, reason) =>
    `version ${version} was vetoed by ${by}${because(reason)}${until(end)}`,
  blocked_by_dependency: ({ deployment, environment, execution, stack, status, until: end }) =>
    stack !== undefined
      ? `it depends on ${stack}, which is ${words(status)}${until(end)}`
      : `it requires ${deployment} in ${environment}, which is ${words(status)}${execution === undefined ? "" : `; ${execution} is working on it`}${until(end)}`,
  blocked_by_stale_order: ({ commit, execution, newer, state, until: end }) =>
    `commit ${commit ?? "?"} is older than ${newer ?? "another one"}, which is ${newerStates[state] ?? words(state)}${aside(execution)}${until(end)}`,
  blocked_by_provider: ({ answered, stack, until: end }, detail) =>
    answered
      ? `${stack}: ${detail ?? "an operation"} is in progress and was not started by Signalbox${until(end)}`
      : `${stack}: the provider does not answer${because(detail)}${until(end)}`,
  blocked_by_drift: ({ differences, stack, until: end }) =>
    `${stack} differs from what was deployed: ${differences
      .map(
        ({ params: { actual, expected, field } }) => `${String(field)} is ${String(actual)}, not ${String(expected)}`
      )
      .join("; ")}${until(end)}`,
  claimed_elsewhere: ({ execution }) => `another process runs ${execution}`,
  waited_for: ({ execution, owner }) => ({
    message: `${owner} already waits for the admission of ${execution}`,
    hint: "Let only one process wait for it."
  }),
  still_running: ({ execution, owner }) => `${owner ?? "another process"} still runs ${execution}`,
  being_recorded: ({ execution }) => ({
    message: `another process is recording ${execution}`,
    hint: "Try again in a moment."
  }),
  not_recorded: ({ deployment, environment }) => ({
    message: `the lease on ${deployment} ${environment} was lost before the request was recorded`,
    hint: "Try again."
  }),
  nested_run: ({ deployment, environment, execution, purpose }) => ({
    message: `this runs inside ${execution}, which already holds the lease on ${deployment} ${environment}`,
    hint:
      purpose === "command"
        ? "Run the command directly: it already has the lease."
        : "It would wait for itself. Run it after that command has ended, or without signalbox run around it."
  }),
  already_locked: ({ by, deployment, environment }, reason) =>
    by === undefined
      ? { message: `another person held the lock on ${deployment} ${environment} a moment ago`, hint: "Try again." }
      : `${deployment} ${environment} is already locked by ${by}${because(reason)}`,
  not_locked: ({ deployment, environment }) => `${deployment} ${environment} is not locked by a person`,
  not_vetoed: ({ environment, version }) => ({
    message: `there is no veto on ${version} in ${environment ?? "all environments"}`,
    hint: "There is nothing to lift."
  }),
  lease_changed_hands: ({ before, now }) => ({
    message: `the lease passed from ${before} to ${now} in the meantime`,
    hint: "Check who holds it now, then decide."
  }),
  lease_lost: ({ fence, key }) => ({
    message: `the lease${key === undefined ? "" : ` on ${key}`}${fence === undefined ? "" : ` (token ${fence})`} was lost`,
    hint: "Another process took it over, or this one was suspended for longer than the lease lasts."
  }),
  lease_expired: ({ command }, outage) => ({
    message: `the lease could not be renewed in time, and ${command === true ? "the command" : "the work under it"} was stopped${because(outage)}`,
    hint:
      command === true
        ? "What the command did is unknown. Check the platform, then run it again with a new correlation ID."
        : "When the store can be reached again, check the executions that were in progress."
  })
}
