// Starts `espalier lsp` for plan files.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function activate() {
  const command = workspace.getConfiguration("espalier").get("path");
  client = new LanguageClient(
    "espalier",
    "Espalier",
    { command, args: ["lsp"] },
    { documentSelector: [{ scheme: "file", language: "espalier" }] }
  );
  return client.start();
}

function deactivate() {
  return client && client.stop();
}

module.exports = { activate, deactivate };
