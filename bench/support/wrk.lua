-- Says what was measured as one line of JSON. The secret comes by environment: among the
-- arguments it would be visible to everybody on the machine.
local authorization = os.getenv("BENCH_AUTHORIZATION")
if authorization then
    wrk.headers["Authorization"] = authorization
end
-- Without it, some registries answer with an old format.
wrk.headers["Accept"] = table.concat({
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "*/*"}, ", ")

-- Spread over the tags that bench/fill makes: team<A/100>/app<A>:1.<T>.
local artifacts, tags = tonumber(os.getenv("BENCH_ARTIFACTS")), tonumber(os.getenv("BENCH_TAGS"))
if artifacts then
    function request()
        local artifact = math.random(0, artifacts - 1)
        return wrk.format(nil, string.format("/v2/team%d/app%d/manifests/1.%d",
            math.floor(artifact / 100), artifact, math.random(0, tags - 1)))
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nBENCH {"requests":%d,"seconds":%f,"bytes":%d,"failed":%d,"p50_us":%d,"p90_us":%d,"p99_us":%d,"max_us":%d}\n',
        summary.requests, summary.duration / 1e6, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
