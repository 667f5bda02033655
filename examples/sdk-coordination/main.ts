import { connect, isSignalboxError } from "@signalbox/node"

const [version = "1.0.0"] = process.argv.slice(2)
const shop = { project: "acme/shop", environment: "production", version }
const signalbox = await connect({ directory: ".signalbox", providers: [] })
try {
  const { blockers } = await signalbox.canDeploy(shop)
  for (const { clearsAt, message } of blockers) console.log(message, clearsAt?.point ?? "")

  const release = await signalbox.runCommand({
    ...shop,
    command: "node",
    args: ["deploy.mjs", version],
    queueTimeout: 600_000,
    onOutput: (stream, bytes) => void process[stream].write(bytes)
  })
  const { exitCode, state } = await release.done
  console.log(version, state.status)
  process.exitCode = exitCode ?? 1
} catch (error) {
  if (!isSignalboxError(error)) throw error
  console.error(error.message)
  process.exitCode = error._tag === "BlockedError" ? 2 : 1
} finally {
  await signalbox.close()
}
