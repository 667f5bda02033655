/**
 * What instances run.
 */
import { spawn } from "node:child_process"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { type AddressInfo, connect, createServer as createSocket } from "node:net"

/**
 * An application.
 *
 * *Details*: it answers with `status` (default 200) and `body`, after `answerMillis` (default 0), or by `answer`; or it is a
 * process: `command`, which listens on the `PORT` of its environment. `errorRate` is the share of requests, 0 to 1, that it
 * answers with 500 instead, except for health checks. `unhealthy` decides what health checks get: 500 if it is true, 200 if it is
 * false, by default what requests get. Times are real.
 */
export interface App {
  readonly body?: string
  readonly status?: number
  readonly answerMillis?: number
  readonly errorRate?: number
  readonly unhealthy?: boolean
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void
  readonly command?: ReadonlyArray<string>
}

/** How the load balancer names itself when it checks the health of a target. */
export const prober = "ELB-HealthChecker/2.0"

/** An application that runs. */
export interface RunningApp {
  readonly port: number
  readonly stop: () => Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createSocket()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

/** Resolves when the process listens, or has ended before: then the health checks of its target fail. */
const startProcess = async (
  [program, ...args]: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Promise<RunningApp> => {
  const port = await freePort()
  const child = spawn(program!, args, { stdio: "ignore", env: { ...process.env, ...env, PORT: String(port) } })
  let over = false
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve())
    child.once("error", () => resolve())
  }).then(() => void (over = true))
  const last = Date.now() + 60_000
  while (!over && Date.now() < last && !(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 20))
  return {
    port,
    stop: async () => {
      child.kill("SIGKILL")
      await ended
    }
  }
}

const serve = async (app: App, random: () => number): Promise<RunningApp> => {
  const server: Server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const probe = request.headers["user-agent"] === prober
    if (probe && app.unhealthy !== undefined) return void response.writeHead(app.unhealthy ? 500 : 200).end()
    if (app.answer !== undefined) return app.answer(request, response)
    const failed = !probe && random() < (app.errorRate ?? 0)
    const send = () => response.writeHead(failed ? 500 : (app.status ?? 200)).end(app.body ?? "")
    if (app.answerMillis === undefined) send()
    else setTimeout(send, app.answerMillis)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/** Starts an application with an environment. */
export const startApp = (app: App, env: Readonly<Record<string, string>>, random: () => number): Promise<RunningApp> =>
  app.command === undefined ? serve(app, random) : startProcess(app.command, env)
