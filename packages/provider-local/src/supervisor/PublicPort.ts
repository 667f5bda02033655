/**
 * Problems of a stack's public port, in words.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import { listenerOn } from "./instance/Listening.ts"
import type { StackKey } from "./Protocol.ts"

type Invalid = Extract<ProviderReason, { readonly _tag: "Invalid" }>

const invalid = (message: string, hint: string): Invalid => ({ _tag: "Invalid", message, path: ["port"], hint })

/** The name of another stack, as seen from one. */
const named = (other: StackKey, { deploymentId, environment }: StackKey): string =>
  `the stack ${other.stack}` +
  (other.environment === environment ? "" : ` in ${other.environment}`) +
  (other.deploymentId === deploymentId ? "" : ` of ${other.deploymentId}`)

export const portIsFixed = ({ deploymentId, environment, stack }: StackKey, port: number): Invalid =>
  invalid(
    `the public port is ${port} and cannot change while the stack is deployed`,
    `Set port back to ${port} or leave it out, or destroy the stack first: signalbox destroy-stack ${deploymentId} ${stack} --environment ${environment}`
  )

export const portIsAnothers = (key: StackKey, port: number, other: StackKey): Invalid =>
  invalid(
    `port ${port} is taken by ${named(other, key)}`,
    other.deploymentId === key.deploymentId && other.stack === key.stack
      ? `Set another one for this environment, at environments.${key.environment}.stacks.${key.stack}.properties.port, or leave port out.`
      : "Set another port, or leave it out: then one is chosen."
  )

export const portIsUnusable = (port: number, code: string): Invalid => {
  if (code === "EACCES" || code === "EPERM") {
    return invalid(`this user may not listen on port ${port}`, "Set a port from 1024 up, or leave it out.")
  }
  if (code !== "EADDRINUSE") return invalid(`port ${port} cannot be listened on: ${code}`, "Set another port.")
  const listener = listenerOn(port)
  return listener === undefined
    ? invalid(`port ${port} is taken by another process`, "End that process, or set another port.")
    : invalid(
        `port ${port} is taken by ${listener.name} (process ${listener.pid})`,
        "End that process, or set another port."
      )
}
