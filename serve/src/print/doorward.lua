-- Asks Doorward about a request before it goes on. Made by `doorward serve --print-config haproxy`.
local copied = { @copied@ }
local removed = { @removed@ }
local prefixes = { @prefixes@ }
-- The framing of the client's body, and what this file says itself.
local own = { ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true,
  ["upgrade"] = true, ["expect"] = true, ["te"] = true, ["x-original-method"] = true,
  ["x-original-uri"] = true, ["x-original-upgrade"] = true, ["doorward-verify-secret"] = true }

-- Some servers take `_` and other characters for `-`.
local function folded(name)
  return (string.lower(name):gsub("[^a-z0-9]", "-"))
end

local is_removed = {}
for _, name in ipairs(removed) do is_removed[name] = true end

local function ends_here(name)
  local name = folded(name)
  if is_removed[name] then return true end
  for _, prefix in ipairs(prefixes) do
    if name:sub(1, #prefix) == prefix then return true end
  end
  return false
end

local function refuse(txn, status)
  txn:done(txn:reply({ status = status, headers = { ["cache-control"] = { "no-store" }, ["retry-after"] = { "2" } } }))
end

core.register_action("doorward", { "http-req" }, function(txn)
  local headers = {}
  for name, lines in pairs(txn.http:req_get_headers()) do
    if not own[name] and name:sub(1, 12) ~= "x-forwarded-" then
      headers[name] = {}
      for at = 0, #lines do headers[name][#headers[name] + 1] = lines[at] end
    end
    if ends_here(name) then txn.http:req_del_header(name) end
  end
  headers["x-original-method"] = { txn.f:method() }
  headers["x-original-uri"] = { txn.f:url() }
  headers["x-forwarded-for"] = { txn.f:src() }
  local upgrade = txn.f:req_hdr("upgrade")
  if upgrade and upgrade ~= "" then headers["x-original-upgrade"] = { upgrade } end
  -- @secret@
  local client = core.httpclient()
  local asked, answer = pcall(function()
    return client:get({ url = "http://@gate@@path@", headers = headers, timeout = 5000 })
  end)
  if not asked or not answer or not answer.status or answer.status == 0 then return refuse(txn, 503) end
  local said = answer.headers or {}
  if answer.status ~= 200 then
    local whole = {}
    for name, lines in pairs(said) do
      if name ~= "connection" and name ~= "transfer-encoding" and name ~= "content-length" then
        whole[name] = {}
        for at = 0, #lines do whole[name][#whole[name] + 1] = lines[at] end
      end
    end
    return txn:done(txn:reply({ status = answer.status, headers = whole, body = answer.body or "" }))
  end
  for _, name in ipairs(copied) do
    local value = said[name] and said[name][0] or ""
    txn.http:req_del_header(name)
    if value ~= "" then txn.http:req_set_header(name, value) end
  end
  local cookies = said["set-cookie"]
  if cookies and #cookies < 8 then
    for at = 0, #cookies do txn:set_var("txn.doorward_cookie_" .. (at + 1), cookies[at]) end
  end
end, 0)
