/**
 * The public port of a stack, and how its requests are divided.
 */
import { freePort } from "../instance/Ports.ts"
import { refuse } from "../Protocol.ts"
import { portIsFixed, portIsUnusable } from "../PublicPort.ts"
import type { Stack } from "../Stack.ts"
import { type Run, superseded } from "./Operation.ts"

/** Binds the public port: the requested one, or any port that is then kept. */
export const open = async (stack: Stack, asked: number): Promise<void> => {
  const { proxy, state } = stack
  if (asked !== 0 && state.port !== 0 && asked !== state.port && proxy.port !== undefined) {
    refuse(portIsFixed(state, state.port))
  }
  if (proxy.port !== undefined) return
  const port = asked !== 0 ? asked : state.port !== 0 ? state.port : await freePort(new Set())
  try {
    await proxy.listen(port)
  } catch (error) {
    const reason = portIsUnusable(port, (error as NodeJS.ErrnoException).code ?? String(error))
    // A port that was chosen here and is now taken may become free again.
    refuse(asked === 0 ? { _tag: "Unavailable", message: reason.message } : reason)
  }
  state.port = port
}

/** Waits until requests are really divided as requested. */
export const readBack = async (stack: Stack, run: Run): Promise<void> => {
  const asked = Object.entries(stack.state.weights).filter(([, percent]) => percent > 0)
  const agrees = () => {
    const effective = stack.proxy.balancer.effective()
    return asked.every(([id, percent]) => Math.abs((effective[id] ?? 0) - percent) < 0.001)
  }
  if (await stack.until(agrees, 10_000, run.signal)) return
  superseded(run)
  refuse({ _tag: "Unavailable", message: "a release that should share the traffic has no ready instance" })
}
