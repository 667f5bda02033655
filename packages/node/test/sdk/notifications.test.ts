import type { Plugin } from "@signalbox/core/plugin"
import { connect } from "@signalbox/node"
import { assert, describe, it, onTestFinished } from "vitest"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connected, deployed, rejected } from "./support.ts"

/** A server on loopback, and a plug-in whose channels post titles to it. */
const receiver = async () => {
  const titles: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      titles.push(body)
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const plugin: Plugin = {
    name: "@acme/signalbox-hook",
    spiVersion: 1,
    notifiers: {
      hook: {
        load: () => ({
          capabilities: { update: false, thread: false, acknowledge: false, dedupe: "none", limits: { bytes: 20_000 } },
          render: (_, { title }) => title,
          send: async ({ rendered, signal }) => {
            await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: String(rendered), signal })
            return {}
          }
        })
      }
    }
  }
  return { titles, plugin }
}

describe("notifications of a connection", () => {
  it("are sent to channels of plug-ins, and closing waits for them", async () => {
    const { plugin, titles } = await receiver()
    const { signalbox } = await connected(undefined, {
      plugins: [plugin],
      notifications: { channels: { team: { kind: "hook" } } }
    })
    await deployed(signalbox)
    await signalbox.close()
    assert.lengthOf(titles, 1)
    assert.include(titles[0], "shop production: deploy 1.0.0 completed")
  })

  it("are refused with a path if a channel does not exist", async () => {
    const error = await rejected(
      connected(undefined, {
        notifications: { channels: { team: { kind: "console" } }, routes: [{ to: "teem" }] }
      })
    )
    assert.strictEqual(error._tag, "ConfigurationError")
    assert.include(error.message, "notifications.routes[0].to")
  })

  it("need their deployment where the store is shared", async () => {
    const error = await rejected(
      connect({ url: "postgres://127.0.0.1:1/none", notifications: { channels: { team: { kind: "console" } } } })
    )
    assert.include(error.message, "notifications.deploymentId")
  })
})
