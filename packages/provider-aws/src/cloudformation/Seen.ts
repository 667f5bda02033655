/**
 * A stack as it is found at AWS, and the observation that the port makes of it.
 */
import type { Stack, StackResourceSummary } from "@aws-sdk/client-cloudformation"
import { absent, type Observation, type ProviderReason, type Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Calls } from "./Calls.ts"
import { stackPage } from "./Console.ts"
import { digestOf } from "../client/digestOf.ts"
import { operationsOf } from "./events/StackEvents.ts"
import { meaningOf } from "./StackStatus.ts"
import { foundTemplate, type Template, templateDigest } from "./template/Template.ts"

/** The values of parameters and the tags, by name. */
export type Values = Readonly<Record<string, string>>

/** A stack with its template. `release` is what it runs, or is being brought to. */
export interface Seen {
  readonly stack: Stack
  readonly template: Template
  readonly release: Release
}

/** When a stack was last changed, by the clock of AWS. */
export const changedAt = ({ CreationTime, DeletionTime, LastUpdatedTime }: Stack): number =>
  (DeletionTime ?? LastUpdatedTime ?? CreationTime)?.getTime() ?? 0

export const parametersOf = ({ Parameters = [] }: Stack): Values =>
  Object.fromEntries(Parameters.map(({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue ?? ""]))

export const tagsOf = ({ Tags = [] }: Stack): Values =>
  Object.fromEntries(Tags.map(({ Key, Value }) => [Key!, Value ?? ""]))

/** The release of a template that Signalbox did not submit. */
const adopted = (stack: Stack, template: Template): Release => {
  const digest = templateDigest(template)
  const configDigest = digestOf([parametersOf(stack), tagsOf(stack)])
  const id = digestOf([digest, configDigest]).slice(0, 24)
  return { id, version: `found-${id.slice(0, 8)}`, digest, configDigest }
}

/** The release of a stack: the record in its template, unless the template was changed since it was written. */
const releaseOf = (stack: Stack, template: Template): Release => {
  const release = template.record?.release
  return release !== undefined && release.digest === templateDigest(template) ? release : adopted(stack, template)
}

/** Looks at a stack; null if there is none. */
export const see = (calls: Calls, name: string): Effect.Effect<Seen | null, ProviderReason> =>
  Effect.gen(function* () {
    const stack = yield* calls.existing(name)
    if (stack === null) return null
    const template = foundTemplate(yield* calls.template(name))
    return { stack, template, release: releaseOf(stack, template) }
  }).pipe(
    // It was removed between the two calls.
    Effect.catch((reason) => (reason._tag === "Missing" ? Effect.succeed(null) : Effect.fail(reason)))
  )

/** The operation that a stack is in. */
export const inProgress = (
  calls: Calls,
  stack: Stack
): Effect.Effect<{ readonly token: string; readonly startedAt: number } | null, ProviderReason> =>
  Effect.gen(function* () {
    const { class: kind } = meaningOf(stack.StackStatus ?? "")
    if (kind !== "working" && kind !== "cleaning") return null
    const began = (stack.StackStatus === "DELETE_IN_PROGRESS" ? stack.CreationTime : undefined)?.getTime()
    const events = yield* calls.events(stack.StackId!, began ?? changedAt(stack))
    const current = operationsOf(events).at(-1)
    return { token: current?.token ?? "", startedAt: current?.startedAt ?? changedAt(stack) }
  })

const resourcesOf = (calls: Calls, stackId: string): Effect.Effect<Observation["resources"], ProviderReason> =>
  Effect.gen(function* () {
    const found: Array<StackResourceSummary> = []
    for (let NextToken: string | undefined; ;) {
      const page = yield* calls.read("ListStackResources", (client, options) =>
        client.listStackResources({ StackName: stackId, ...(NextToken === undefined ? {} : { NextToken }) }, options)
      )
      found.push(...(page.StackResourceSummaries ?? []))
      NextToken = page.NextToken
      if (NextToken === undefined) break
    }
    return found.map(({ LogicalResourceId, ResourceStatus, ResourceStatusReason, ResourceType }) => ({
      id: LogicalResourceId ?? "",
      type: ResourceType ?? "",
      status: ResourceStatus ?? "",
      ...(ResourceStatusReason ? { reason: ResourceStatusReason } : {})
    }))
  })

const statusOf = (kind: ReturnType<typeof meaningOf>["class"]): Observation["status"] =>
  kind === "working" || kind === "cleaning" ? "changing" : kind === "usable" ? "ready" : "failed"

/** What the port says of a stack. `tokens` is how the tokens of its own operations begin. */
export const observation = (
  calls: Calls,
  seen: Seen | null,
  tokens: string
): Effect.Effect<Observation, ProviderReason> =>
  Effect.gen(function* () {
    if (seen === null) return absent
    const { release, stack, template } = seen
    const status = stack.StackStatus ?? ""
    const { class: kind } = meaningOf(status)
    const operation = yield* inProgress(calls, stack)
    // Until an operation is at its end, the template shows what it brings in.
    const coming = kind === "working" && /^(CREATE|UPDATE|IMPORT)_/.test(status) && !status.includes("ROLLBACK")
    const before = template.record?.release === release ? template.record.before : null
    const stable = coming ? before : kind === "unusable" ? null : release
    const ready = kind === "usable" || kind === "cleaning"
    const page = stackPage(stack.StackId!)
    return {
      status: statusOf(kind),
      ...(stack.StackStatusReason ? { reason: stack.StackStatusReason } : {}),
      stable,
      candidate: coming ? release : null,
      traffic: stable === null ? [] : [{ releaseId: stable.id, percent: 100 }],
      trafficSource: "configured",
      health: Object.fromEntries([
        ...(stable === null ? [] : [[stable.id, { healthy: ready || coming ? 1 : 0, total: 1, unit: "release" }]]),
        ...(coming ? [[release.id, { healthy: 0, total: 1, unit: "release" }]] : [])
      ]) as Observation["health"],
      operation:
        operation === null
          ? null
          : {
              id: operation.token === "" ? stack.StackId! : operation.token,
              description: status,
              foreign: !operation.token.startsWith(tokens),
              startedAt: operation.startedAt
            },
      lastChangedAt: changedAt(stack),
      outputs: Object.fromEntries(
        (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue ?? ""])
      ),
      resources: yield* resourcesOf(calls, stack.StackId!),
      ...(page === undefined ? {} : { consoleUrl: page })
    }
  })
