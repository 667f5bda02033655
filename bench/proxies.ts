import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Effect } from "effect"
import { DeploymentId, EnvironmentName, StackName, type StackRef } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import { LocalProvider } from "@signalbox/provider-local"
import { here, node } from "./paths.ts"

/** A proxy that divides requests between an old and a new release, and can switch. */
export interface Proxy {
  readonly name: string
  readonly port: number
  /** Sends everything to that release; returns when the proxy reports completion. */
  readonly switchTo: (release: "old" | "new") => Promise<void>
  readonly stop: () => Promise<void>
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" && address !== null ? address.port : 0
}

const app = join(here, "app")

const answers = async (port: number): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    const ok = await fetch(`http://127.0.0.1:${port}/`).then(
      (response) => response.ok,
      () => false
    )
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`nothing answers on ${port}`)
}

const end = async (process: ChildProcess) => {
  process.kill()
  if (process.exitCode === null && process.signalCode === null) await once(process, "exit")
}

/** The two releases as plain processes, for the proxies that do not start them. */
const releases = async () => {
  const ports = { old: await freePort(), new: await freePort() }
  const children = (["old", "new"] as const).map((name) =>
    spawn(node, [join(app, "server.mjs"), String(ports[name]), name], { stdio: "ignore" })
  )
  await Promise.all([answers(ports.old), answers(ports.new)])
  return { ports, stop: () => Promise.all(children.map(end)) }
}

export const signalbox = async (): Promise<Proxy> => {
  const directory = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  const provider = LocalProvider.make({ directory })
  const ref: StackRef = {
    deploymentId: DeploymentId.make("DBENCH0"),
    environment: EnvironmentName.make("bench"),
    stack: StackName.make("web"),
    properties: {
      command: ["node", "server.mjs"],
      artifact: app,
      port: await freePort(),
      readiness: { interval: "1 second" }
    }
  }
  let calls = 0
  const mutation = () => testMutation(`bench/${++calls}`)
  const bringIn = async (version: string) => {
    const plan = await Effect.runPromise(provider.plan(ref, { version }))
    await Effect.runPromise(provider.stage(ref, { plan, capacityPercent: 100 }, mutation()))
    return plan.candidate.id
  }
  const shift = (releaseId: string, percent: number) =>
    Effect.runPromise(provider.traffic!.shift(ref, { releaseId, percent }, mutation()))
  const old = await bringIn("old")
  await shift(old, 100)
  await Effect.runPromise(provider.traffic!.retire(ref, { keep: old, capacityPercent: 0 }, mutation()))
  const fresh = await bringIn("new")
  const { outputs } = await Effect.runPromise(provider.observe(ref))
  return {
    name: "signalbox",
    port: Number(outputs["port"]),
    switchTo: async (release) => void (await shift(fresh, release === "new" ? 100 : 0)),
    stop: async () => {
      await Effect.runPromise(provider.destroy(ref, mutation()))
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

export const httpxy = async (): Promise<Proxy> => {
  const { ports, stop } = await releases()
  const port = await freePort()
  const proxy = spawn(node, [join(here, "children", "httpxy-proxy.mjs"), String(port), String(ports.old)], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines = createInterface({ input: proxy.stdout })
  await once(lines, "line")
  return {
    name: "bare httpxy",
    port,
    switchTo: async (release) => {
      proxy.stdin.write(`${ports[release]}\n`)
      await once(lines, "line")
    },
    stop: async () => {
      await end(proxy)
      await stop()
    }
  }
}

const installed = (program: string): boolean => spawnSync("which", [program]).status === 0

export const nginx = async (): Promise<Proxy | undefined> => {
  if (!installed("nginx")) return undefined
  const { ports, stop } = await releases()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-nginx-"))
  mkdirSync(join(folder, "logs"))
  const file = join(folder, "nginx.conf")
  const write = (release: "old" | "new") =>
    writeFileSync(
      file,
      `daemon off; worker_processes 2; pid ${folder}/pid; error_log ${folder}/logs/error.log; events {} http { access_log off;
       client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       upstream u { server 127.0.0.1:${ports[release]}; keepalive 32; }
       server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`
    )
  write("old")
  const master = spawn("nginx", ["-c", file, "-p", folder], { stdio: "ignore" })
  await answers(port)
  return {
    name: "nginx reload",
    port,
    switchTo: async (release) => {
      write(release)
      master.kill("SIGHUP")
    },
    stop: async () => {
      await end(master)
      await stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

export const haproxy = async (): Promise<Proxy | undefined> => {
  if (!installed("haproxy")) return undefined
  const { ports, stop } = await releases()
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-haproxy-"))
  const socket = join(folder, "socket")
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  balance roundrobin
  server old 127.0.0.1:${ports.old} weight 100
  server new 127.0.0.1:${ports.new} weight 0
`
  )
  const process = spawn("haproxy", ["-f", join(folder, "haproxy.cfg")], { stdio: "ignore" })
  await answers(port)
  const tell = async (command: string) => {
    const connection = connect(socket)
    connection.end(`${command}\n`)
    connection.resume()
    await once(connection, "close")
  }
  return {
    name: "haproxy weights",
    port,
    switchTo: async (release) => {
      await tell(`set server b/${release} weight 100`)
      await tell(`set server b/${release === "old" ? "new" : "old"} weight 0`)
    },
    stop: async () => {
      await end(process)
      await stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
