/** Connects, and prints how that ended; the third argument is `telemetry`. */
import { connect, isSignalboxError } from "@signalbox/node"

const [directory = "", telemetry] = process.argv.slice(2)
try {
  const signalbox = await connect({
    directory,
    providers: [],
    ...(telemetry === undefined ? {} : { telemetry: "host" })
  })
  await signalbox.close()
  console.log("connected")
} catch (error) {
  console.log(isSignalboxError(error) ? JSON.stringify({ tag: error._tag, ...error.toJSON().error }) : String(error))
}
