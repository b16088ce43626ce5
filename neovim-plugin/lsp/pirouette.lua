-- How the server is started. `vim.lsp.config("pirouette", {...})` changes these fields.

---@class pirouette.Config: vim.lsp.Config
---@field program string[] What `cmd` starts.

---@type pirouette.Config
return {
  program = { "pirouette", "serve" },
  cmd = function(dispatchers)
    return require("pirouette.server").start(dispatchers)
  end,
  root_markers = { ".git", "pyproject.toml", "package.json", "go.mod", "pom.xml" },
  capabilities = { textDocument = { inlineCompletion = { dynamicRegistration = false } } },
  -- Every server holds a model in memory, so files of no project share one with any project.
  reuse_client = function(client, config)
    local same_root = config.root_dir == nil or config.root_dir == client.config.root_dir
    return client.name == config.name and not client:is_stopped() and same_root
  end,
  handlers = {
    ["$/pirouette/completed"] = function(_, completed)
      require("pirouette.status").note_completed(completed)
    end,
  },
  on_exit = function(code, signal)
    require("pirouette.server").on_exit(code, signal)
  end,
}
