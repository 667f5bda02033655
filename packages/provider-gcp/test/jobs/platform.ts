/**
 * A job on a simulator, and looks at it that do not go through the provider.
 */
import { StackName, type StackRef } from "@signalbox/core/spi"
import { stepOf } from "../../src/marks.ts"
import { make } from "../../src/jobs/JobProvider.ts"
import type { ExecutionJson, GcpSimulator } from "../../src/testing/index.ts"
import { parent, ref as service } from "../cloudrun/platform.ts"

export const job = `${parent}/jobs/migrate`

export const refOf = (properties: { readonly [key: string]: unknown } = {}): StackRef => ({
  ...service,
  stack: StackName.make("migrate"),
  properties: { job: "migrate", project: "shop-1", ...properties } as StackRef["properties"]
})

export const ref = refOf()

export const providerOf = (simulator: GcpSimulator, transport: "grpc" | "rest" = "grpc", endpoint?: string) =>
  make({ endpoint: endpoint ?? simulator[transport], transport, poll: { first: 5, most: 50 } })

/** The version that the job runs; none if there is no job. */
export const configured = (simulator: GcpSimulator): Record<string, number> => {
  const task = simulator.job(job)?.template["template"] as
    | { readonly containers: ReadonlyArray<{ readonly image: string }> }
    | undefined
  return task === undefined ? {} : { [task.containers[0]!.image.replace(/^.*:/, "")]: 1 }
}

const stepIn = (text: string | undefined): string | undefined =>
  (JSON.parse(text ?? "{}") as { readonly step?: string }).step

const record = ({ annotations = {} }: ExecutionJson) => annotations["signalbox.dev/release"]

/** The executions that a step has started. */
export const executionsOf = (simulator: GcpSimulator, key: string): ReadonlyArray<ExecutionJson> =>
  simulator.executions(job).filter((one) => stepIn(record(one)) === stepOf(key))

/** How often a step had its effect: by the executions that it started, or by its changes if it starts none. */
export const effectsOf = (simulator: GcpSimulator, key: string): number => {
  const started = executionsOf(simulator, key).length
  if (started > 0) return started
  return simulator.changes.filter(({ failed, method, request }) => {
    if (failed !== undefined) return false
    if (method === "DeleteJob") return key.includes("destroy")
    const { annotations = {} } = (request["job"] ?? {}) as { readonly annotations?: Record<string, string> }
    return stepIn(annotations["signalbox.dev/state"]) === stepOf(key)
  }).length
}
