/**
 * What images do when an instance of them runs.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createInterface } from "node:readline"
import { type AddressInfo, connect, createServer as createSocket } from "node:net"

/**
 * An application.
 *
 * *Details*: it answers with `body` or by `answer`, or is a process: `command`, which listens on the `PORT` of its
 * environment. It takes `startMillis` (default 0) to start; with `fails`, it never does, and that is the message.
 */
export interface App {
  readonly body?: string
  readonly answer?: (request: IncomingMessage, response: ServerResponse, env: Readonly<Record<string, string>>) => void
  readonly command?: ReadonlyArray<string>
  readonly startMillis?: number
  readonly fails?: string
}

/** An instance that runs. */
export interface Instance {
  readonly port: number
  readonly stop: () => Promise<void>
}

/** The images of a registry, by name and by digest. */
export class Images {
  readonly #apps = new Map<string, App>()
  readonly #digests = new Map<string, string>()

  /** Pushes an image, and returns its name by digest. A tag that is pushed again names the new image from then on. */
  push(name: string, app: App): string {
    const { answer, ...rest } = app
    const content = JSON.stringify([name, rest, answer?.toString() ?? null])
    const digest = `${name.replace(/:[^/:]*$/, "")}@sha256:${createHash("sha256").update(content).digest("hex")}`
    this.#apps.set(digest, app)
    this.#digests.set(name, digest)
    return digest
  }

  /** The name of an image by its digest; undefined if there is no such image. */
  resolve(name: string): string | undefined {
    return this.#apps.has(name) ? name : this.#digests.get(name)
  }

  /** The name under which an image was pushed last; its own name if it was not. */
  pushedAs(digest: string): string {
    return [...this.#digests].findLast(([, known]) => known === digest)?.[0] ?? digest
  }

  app(digest: string): App {
    return this.#apps.get(digest)!
  }
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

const startProcess = async (
  [program, ...args]: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  written: (line: string) => void
): Promise<Instance> => {
  const port = await freePort()
  const child = spawn(program!, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env, PORT: String(port) }
  })
  for (const output of [child.stdout, child.stderr]) createInterface(output).on("line", written)
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve())
    child.once("error", () => resolve())
  })
  const closed = new Promise<void>((resolve) => void child.once("close", () => resolve()))
  let over = false
  void ended.then(() => (over = true))
  const stop = async () => {
    child.kill("SIGKILL")
    await ended
  }
  const last = Date.now() + 30_000
  while (!(await accepts(port))) {
    if (over || Date.now() > last) {
      await stop()
      // All that it wrote has arrived.
      await closed
      throw new Error("The user-provided container failed to start and listen on the port defined by PORT.")
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { port, stop }
}

/** Starts an instance; rejects with the message of its failure. `written` gets each line that a process writes. */
export const startInstance = async (
  app: App,
  env: Readonly<Record<string, string>>,
  written: (line: string) => void
): Promise<Instance> => {
  await new Promise((resolve) => setTimeout(resolve, app.startMillis ?? 0))
  if (app.fails !== undefined) throw new Error(app.fails)
  if (app.command !== undefined) return startProcess(app.command, env, written)
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    if (app.answer !== undefined) app.answer(request, response, env)
    else response.end(app.body ?? "")
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

/** Work that ends by itself: with a failure, or with null. */
export interface Task {
  readonly ended: Promise<string | null>
  readonly stop: () => void
}

/** Does what an image does as a task: runs its command to the end, or takes its time. */
export const startTask = (app: App, env: Readonly<Record<string, string>>): Task => {
  if (app.command === undefined) {
    let stop = () => {}
    const ended = new Promise<string | null>((resolve) => {
      const timer = setTimeout(() => resolve(app.fails ?? null), app.startMillis ?? 0)
      stop = () => {
        clearTimeout(timer)
        resolve("it was stopped")
      }
    })
    return { ended, stop }
  }
  const [program, ...args] = app.command
  const child = spawn(program!, args, { stdio: "ignore", env: { ...process.env, ...env } })
  const ended = new Promise<string | null>((resolve) => {
    child.once("error", (error) => resolve(error.message))
    child.once("exit", (code, signal) => resolve(code === 0 ? null : `it ended with ${code ?? signal}`))
  })
  return { ended, stop: () => void child.kill("SIGKILL") }
}
