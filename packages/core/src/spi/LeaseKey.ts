/**
 * The keys of leases, and what a lease is held for. This module creates all keys, and is the only one that parses one.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, EnvironmentName } from "../domain/Ids.ts"
import type { Lease } from "./LeaseStore.ts"

/** The key under which executions of one deployment in one environment exclude each other. */
export const environmentLeaseKey = (deploymentId: DeploymentId, environment: EnvironmentName): string =>
  `environment/${deploymentId}/${environment}`

/** The key of the claim to run one execution. */
export const executionClaimKey = (id: CorrelationId): string => `execution/${id}`

/** The key under which one process sends the trace of an execution. */
export const traceLeaseKey = (id: CorrelationId): string => `trace/${id}`

/** The key under which one process sends the notifications of a stream. */
export const notifyLeaseKey = (stream: string): string => `notify/${stream}`

/** What a key stands for. */
export type LeaseKey =
  | { readonly _tag: "Environment"; readonly deploymentId: DeploymentId; readonly environment: EnvironmentName }
  | { readonly _tag: "Execution"; readonly id: CorrelationId }
  | { readonly _tag: "Trace"; readonly id: CorrelationId }
  | { readonly _tag: "Notify"; readonly stream: string }

const deploymentId = Schema.decodeUnknownOption(DeploymentId)
const environmentName = Schema.decodeUnknownOption(EnvironmentName)
const correlationId = Schema.decodeUnknownOption(CorrelationId)

/** Reads a key; undefined for one that this version does not know. */
export const parseLeaseKey = (key: string): LeaseKey | undefined => {
  const [kind, first, second, ...more] = key.split("/")
  if (more.length > 0) return undefined
  if (kind === "environment") {
    return Option.getOrUndefined(
      Option.map(
        Option.all({ deploymentId: deploymentId(first), environment: environmentName(second) }),
        (place) => ({ _tag: "Environment", ...place }) as const
      )
    )
  }
  if (kind === "notify" && first !== undefined && second === undefined) return { _tag: "Notify", stream: first }
  const id = second === undefined ? Option.getOrUndefined(correlationId(first)) : undefined
  if (id === undefined) return undefined
  return kind === "execution" ? { _tag: "Execution", id } : kind === "trace" ? { _tag: "Trace", id } : undefined
}

/** The execution that a lease on an environment is held for; undefined where it is held for something else. */
export const holderOf = ({ holder }: Pick<Lease, "holder">): CorrelationId | undefined =>
  Option.getOrUndefined(correlationId(holder))
