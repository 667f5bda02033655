/**
 * Changes that were made to the resources of a stack behind its back.
 */
import type { StackResourceDrift } from "@aws-sdk/client-cloudformation"
import type { Drift, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ChangeSet from "./ChangeSet.ts"
import type { Calls, Failure } from "./Calls.ts"
import { present } from "./Deployable.ts"
import { execute } from "./Mutations.ts"
import type { Poller } from "./Poller.ts"
import { changedAt, see } from "./Seen.ts"
import { resumed, settled, succeeded, type Work } from "./Work.ts"

/** The properties that differ, or the resource itself if it is gone. */
const driftsOf = ({
  LogicalResourceId = "",
  PropertyDifferences = [],
  StackResourceDriftStatus
}: StackResourceDrift): ReadonlyArray<Drift> =>
  StackResourceDriftStatus === "DELETED"
    ? [{ field: LogicalResourceId, expected: "there", actual: "deleted", owned: false }]
    : PropertyDifferences.map(({ ActualValue, ExpectedValue, PropertyPath }) => ({
        field: `${LogicalResourceId}${PropertyPath}`,
        expected: ExpectedValue ?? "",
        actual: ActualValue ?? "",
        owned: false
      }))

/** A detection takes minutes, and `can-deploy` asks for one; so long one of the same state counts. */
const fresh = Duration.toMillis("5 minutes")

/** Lets CloudFormation look for drift, and waits for what it finds. It looks at what the template declares. */
export const detect = (
  calls: Calls,
  name: string,
  poller: Poller
): Effect.Effect<ReadonlyArray<Drift>, ProviderReason> =>
  Effect.gen(function* () {
    const stack = yield* calls.existing(name)
    if (stack === null) return []
    const checked = stack.DriftInformation?.LastCheckTimestamp?.getTime() ?? 0
    const now = yield* Clock.currentTimeMillis
    if (checked <= changedAt(stack) || checked < now - fresh) yield* look(calls, name, poller)
    const found: Array<Drift> = []
    for (let NextToken: string | undefined; ;) {
      const page = yield* calls.read("DescribeStackResourceDrifts", (client, options) =>
        client.describeStackResourceDrifts(
          {
            StackName: name,
            StackResourceDriftStatusFilters: ["MODIFIED", "DELETED"],
            ...(NextToken === undefined ? {} : { NextToken })
          },
          options
        )
      )
      found.push(...(page.StackResourceDrifts ?? []).flatMap(driftsOf))
      NextToken = page.NextToken
      if (NextToken === undefined) break
    }
    return found
  })

/** Waits for a detection; one that fails halfway has found something too. */
const look = (calls: Calls, name: string, poller: Poller): Effect.Effect<void, ProviderReason> =>
  Effect.gen(function* () {
    const { StackDriftDetectionId } = yield* calls.read("DetectStackDrift", (client, options) =>
      client.detectStackDrift({ StackName: name }, options)
    )
    const status = calls.read("DescribeStackDriftDetectionStatus", (client, options) =>
      client.describeStackDriftDetectionStatus({ StackDriftDetectionId }, options)
    )
    yield* poller.until(
      Effect.map(status, ({ DetectionStatus }) => DetectionStatus !== "DETECTION_IN_PROGRESS" || undefined)
    )
  })

/** Brings all drifted resources of a stack back to their template; CloudFormation cannot do that for some of them. */
export const correct = (work: Work, fields: ReadonlyArray<string>): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    if (fields.length === 0) return
    const before = yield* resumed(work)
    if (before !== undefined) return yield* succeeded(work, before)
    const stack = yield* settled(work)
    const seen = stack === null ? null : yield* see(work.calls, work.name)
    if (seen === null) {
      return yield* Effect.fail<ProviderReason>({ _tag: "Missing", message: `there is no stack ${work.name}` })
    }
    const changeSet = yield* ChangeSet.make(work, seen.stack, present(seen, work.secrets), {
      DeploymentMode: "REVERT_DRIFT"
    })
    if (changeSet === "empty") {
      const message = `CloudFormation finds nothing to revert in ${work.name}`
      return yield* Effect.fail<ProviderReason>({ _tag: "Unsupported", message, capability: "drift" })
    }
    yield* ChangeSet.protect(work, changeSet)
    const end = yield* execute(work, seen.stack, changeSet.id)
    if (end !== null) yield* succeeded(work, end)
  })
