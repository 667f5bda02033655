/**
 * Change sets: made by a plan, executed by a stage, and never left behind.
 */
import type { Change, Stack } from "@aws-sdk/client-cloudformation"
import type { PlannedResource, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "./Calls.ts"
import type { Deployable } from "./Deployable.ts"
import type { Work } from "./Work.ts"

/** A change set that can be executed. */
export interface ChangeSet {
  readonly id: string
  readonly resources: ReadonlyArray<PlannedResource>
  readonly changes: ReadonlyArray<string>
}

const actions = { Add: "create", Modify: "update", Remove: "delete", Import: "import", Dynamic: "update" } as const

/** The change of one resource. A replacement that depends on something unknown counts as one. */
const resourceOf = ({ ResourceChange: change }: Change): PlannedResource => {
  const replacement = change?.Replacement === "True" || change?.Replacement === "Conditional"
  const action = actions[change?.Action as keyof typeof actions] ?? "update"
  return {
    resource: change?.LogicalResourceId ?? "",
    type: change?.ResourceType ?? "",
    action: change?.Replacement === "True" ? "replace" : action,
    replacement
  }
}

/** What a person reads about the change of one resource. */
export const changeText = (
  { action, replacement, resource, type }: PlannedResource,
  properties: ReadonlyArray<string> = []
): string => {
  const which = properties.length === 0 ? "" : `: ${properties.join(", ")}`
  return `${action} ${resource} (${type})${which}${replacement && action !== "replace" ? ", may replace it" : ""}`
}

const propertiesOf = ({ ResourceChange: change }: Change): ReadonlyArray<string> => [
  ...new Set((change?.Details ?? []).flatMap(({ Target }) => (Target?.Name === undefined ? [] : [Target.Name])))
]

const isEmpty = (reason: string): boolean => /didn't contain changes|No updates are to be performed/i.test(reason)

const remove = ({ calls, mutation, name }: Work, changeSet: string): Effect.Effect<void, Failure> =>
  calls
    .change("DeleteChangeSet", mutation, (client, options) =>
      client.deleteChangeSet({ StackName: name, ChangeSetName: changeSet }, options)
    )
    .pipe(
      Effect.asVoid,
      Effect.catch((reason) =>
        reason._tag === "Missing" || reason._tag === "Conflict" ? Effect.void : Effect.fail(reason)
      )
    )

/** Deletes what plans that were never carried out have left. */
export const removeOthers = (work: Work): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { Summaries = [] } = yield* work.calls.read("ListChangeSets", (client, options) =>
      client.listChangeSets({ StackName: work.name }, options)
    )
    for (const { ChangeSetName, ExecutionStatus } of Summaries) {
      const own = ChangeSetName?.startsWith(work.tokens) === true && ChangeSetName !== work.token
      if (own && !ExecutionStatus?.startsWith("EXECUTE_")) yield* remove(work, ChangeSetName)
    }
  })

/** A change set that was made before, once it is complete; null if it cannot be executed any more. */
export const existing = (work: Work, name: string): Effect.Effect<ChangeSet | "empty" | null, Failure> =>
  Effect.gen(function* () {
    const found = yield* work.poller.until(
      Effect.map(work.calls.changeSet(work.name, name), (found) =>
        found === null ? { found } : /_(PENDING|IN_PROGRESS)$/.test(found.Status ?? "") ? undefined : { found }
      )
    )
    if (found.found === null) return null
    const { ChangeSetId, Changes, ExecutionStatus, Status, StatusReason = "" } = found.found
    if (Status === "FAILED") {
      yield* remove(work, name)
      if (isEmpty(StatusReason)) return "empty"
      return yield* Effect.fail<ProviderReason>({ _tag: "Invalid", message: StatusReason, path: ["template"] })
    }
    if (ExecutionStatus !== "AVAILABLE") {
      // Others have changed the stack since.
      if (ExecutionStatus === "OBSOLETE") yield* remove(work, name)
      return null
    }
    const resources = Changes.map(resourceOf)
    return {
      id: ChangeSetId!,
      resources,
      changes: Changes.map((change, index) => changeText(resources[index]!, propertiesOf(change)))
    }
  })

/** Makes the change set of this step, or finds it made. */
export const make = (
  work: Work,
  stack: Stack | null,
  deployable: Deployable,
  more: { readonly DeploymentMode?: "REVERT_DRIFT" } = {}
): Effect.Effect<ChangeSet | "empty", Failure> =>
  Effect.gen(function* () {
    const known = yield* existing(work, work.token)
    if (known !== null) return known
    const input = yield* work.submit(deployable, stack)
    yield* work.calls
      .change("CreateChangeSet", work.mutation, (client, options) =>
        client.createChangeSet(
          {
            StackName: work.name,
            ChangeSetName: work.token,
            ClientToken: work.token,
            ChangeSetType: stack === null ? "CREATE" : "UPDATE",
            ...input,
            ...more
          },
          options
        )
      )
      // The client has repeated a call whose answer was lost.
      .pipe(Effect.catch((reason) => (reason._tag === "Conflict" ? Effect.void : Effect.fail(reason))))
    const made = yield* existing(work, work.token)
    if (made !== null) return made
    return yield* Effect.fail<ProviderReason>({ _tag: "Conflict", message: `${work.name} was changed meanwhile` })
  })

/** Fails if a change set deletes or replaces what is protected. */
export const protect = (work: Work, { resources }: ChangeSet): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const harmed = resources.filter(
      ({ action, replacement, type }) => (replacement || action === "delete") && work.properties.protect.includes(type)
    )
    if (harmed.length === 0) return
    yield* remove(work, work.token)
    const message = `a protected resource would be lost: ${harmed.map((one) => changeText(one)).join("; ")}`
    const hint = `Change the template, or remove the type from protect.`
    return yield* Effect.fail<ProviderReason>({ _tag: "Invalid", message, path: ["protect"], hint })
  })
