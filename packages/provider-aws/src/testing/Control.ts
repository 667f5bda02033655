/**
 * The way to a simulator from another process: `POST /_simulator/<method>` with the arguments as a JSON array.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import type { AwsSimulator } from "./AwsSimulator.ts"

/** What can be asked for. */
export type Control = Omit<AwsSimulator, "endpoint" | "close">

const methods = (simulator: Control): Readonly<Record<string, (...args: ReadonlyArray<never>) => unknown>> => ({
  now: simulator.now,
  advance: simulator.advance,
  push: simulator.push,
  edit: simulator.edit,
  seed: simulator.seed,
  instances: simulator.instances,
  listenerUrl: simulator.listenerUrl,
  ledger: () => {
    const { calls, capacity, requests, toTargetsTakenAway, writes } = simulator.ledger
    return {
      calls,
      writes,
      capacity: Object.fromEntries(capacity),
      requests: Object.fromEntries(requests),
      toTargetsTakenAway
    }
  },
  reset: simulator.ledger.reset,
  ...Object.fromEntries(Object.entries(simulator.faults).map(([name, fault]) => [`faults.${name}`, fault]))
})

export const controlled = (simulator: Control) => {
  const known = methods(simulator)
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, json: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json ?? null))
    const method = known[request.url!.slice("/_simulator/".length)]
    if (method === undefined) return send(404, { message: `There is no method ${request.url}` })
    try {
      const body = await text(request)
      const result = await method(...((body === "" ? [] : JSON.parse(body)) as ReadonlyArray<never>))
      // What ends a fault cannot be sent.
      send(200, typeof result === "function" ? null : result)
    } catch (error) {
      send(400, { message: String(error) })
    }
  }
}
