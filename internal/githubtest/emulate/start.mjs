// Starts the GitHub and the Slack of the npm package emulate on loopback. The argument is the
// folder whose node_modules has it; the first line of standard input is the seed as JSON.
// Prints one line of JSON: the addresses and the keys of the Apps by their ids. Ends when standard input does.
import { createInterface } from "node:readline"
import path from "node:path"
import { pathToFileURL } from "node:url"

const api = path.join(process.argv[2], "node_modules", "emulate", "dist", "api.js")
const { createEmulator } = await import(pathToFileURL(api))
const input = createInterface({ input: process.stdin })
input.once("line", async (line) => {
  const seed = JSON.parse(line)
  const github = await createEmulator({ service: "github", port: 0, seed })
  const slack = await createEmulator({ service: "slack", port: 0, seed })
  const keys = {}
  for (const secret of github.generatedSecrets) keys[secret.id] = secret.value
  console.log(JSON.stringify({ github: github.url, slack: slack.url, keys }))
})
input.once("close", () => process.exit(0))
