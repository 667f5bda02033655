import { rootSpanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { connect } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { listen, type Protocol } from "./receiver.ts"

const here = import.meta.dirname

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "otel-host-"))
  for (const name of ["main.ts", "web"]) cpSync(join(here, name), join(folder, name), { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }))
  symlinkSync(join(here, "node_modules"), join(folder, "node_modules"))
})
afterEach(async () => {
  const directory = join(folder, ".signalbox")
  await using signalbox = await connect({ directory, providers: [LocalProvider.make({ directory, cwd: folder })] })
  for (const { deploymentId } of await signalbox.deployments.list()) {
    await (
      await signalbox.destroy({ deploymentId, environment: "production" })
    ).done
  }
  rmSync(folder, { recursive: true })
})

/** Runs the example as a person would, with the receiver's address. */
const release = (env: Readonly<Record<string, string>>) =>
  new Promise<string>((resolve) => {
    const child = spawn(process.execPath, ["--conditions=@signalbox/source", "main.ts"], {
      cwd: folder,
      env: { ...process.env, ...env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` }
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)))
    child.once("close", () => resolve(output))
  })

describe("a program with its own OpenTelemetry", () => {
  it("is the one on the page", () => {
    const page = readFileSync(join(here, "../../docs/tracing.md"), "utf8")
    expect(page).toContain(`\`\`\`ts\n${readFileSync(join(here, "main.ts"), "utf8")}\`\`\`\n`)
  })

  it.each<Protocol>(["http/protobuf", "grpc"])(
    "sends the trace of its deployment over %s, linked both ways with its own span",
    async (protocol) => {
      const receiver = await listen(protocol)
      const output = await release({
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_METRICS_EXPORTER: "none",
        OTEL_LOGS_EXPORTER: "none"
      })
      receiver.close()
      const [correlationId = "", status] = output.trim().split(" ")
      expect(status, output).toBe("completed")

      const traceId = traceIdOf(correlationId)
      const own = receiver.spans.filter((span) => span.traceId !== traceId)
      const spans = receiver.spans.filter((span) => span.traceId === traceId)
      expect(own.map(({ name }) => name)).toEqual(["release 1.0.0"])
      expect([...new Set(receiver.spans.map(({ service }) => service))]).toEqual(["release"])
      const ids = spans.map(({ spanId }) => spanId)
      expect(new Set(ids).size).toBe(ids.length)
      const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
      expect(roots).toMatchObject([{ name: "RUN deploy shop", spanId: rootSpanIdOf(correlationId) }])
      const orphans = spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.includes(parentSpanId))
      expect(orphans).toEqual([])
      for (const name of ["Signalbox.submit", "Runner.run", "Step.stage", "Provider.stage", "Gate.watch"]) {
        expect(spans.map((span) => span.name)).toContain(name)
      }

      expect(roots[0]?.links).toEqual([{ traceId: own[0]?.traceId, spanId: own[0]?.spanId }])
      expect(own[0]?.links).toEqual([{ traceId, spanId: roots[0]?.spanId }])
    }
  )
})
