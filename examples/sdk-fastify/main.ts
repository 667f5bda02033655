import { defineConfig } from "@signalbox/core"
import { connect } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import { makeService } from "./service.ts"

const directory = ".signalbox"
const configuration = defineConfig({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  stacks: [
    {
      name: "web",
      provider: "local",
      gate: { interval: "1 second" },
      strategy: { type: "blue_green", bake: "10 seconds", approval: { expiresIn: "1 hour" } },
      properties: { command: ["node", "server.mjs"], artifact: "./web" }
    }
  ]
})

const signalbox = await connect({ directory, providers: [LocalProvider.make({ directory })] })
const [known] = (await signalbox.executions.list({ limit: 1 })).items
const { deploymentId } = known ?? (await signalbox.deployments.init({ configuration }))
const service = await makeService({ signalbox, configuration, deploymentId })
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void service.close())
console.log(await service.listen({ port: Number(process.env["PORT"] ?? 0) }))
