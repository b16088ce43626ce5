#!/usr/bin/env bash
# Installs VS Code as a server, and what its tests need of the system, into the folder named.
# Nothing is done where it is there already. Needs Node 20, whose headers its modules are built with.
set -euo pipefail
version=4.100.3
folder=$1
if [ "$(cat "$folder/installed" 2>/dev/null)" = "$version" ] && command -v rg >/dev/null; then exit; fi

apt-get update -qq
apt-get install -y -qq libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev ripgrep >/dev/null

quiet=(--no-audit --no-fund --loglevel=error)
nodedir=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
export npm_config_yes=true # to node-gyp, which builds
rm -rf "$folder"
mkdir -p "$folder"
npm install "${quiet[@]}" --ignore-scripts --prefix "$folder" "code-server@$version"
cd "$folder"
npm rebuild "${quiet[@]}" --nodedir="$nodedir" argon2
cd node_modules/code-server/lib/vscode
npm install "${quiet[@]}" --omit=dev --ignore-scripts
npm rebuild "${quiet[@]}" --nodedir="$nodedir" \
  node-pty @vscode/spdlog native-watchdog kerberos @vscode/deviceid
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
ln -sfn node_modules node_modules.asar
echo "$version" >"$folder/installed"
