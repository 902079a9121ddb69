# SPDX-License-Identifier: MIT
# Copyright the co-hostd authors
"""TLS in front of a port: tls_front.py CERT KEY PORT. Says its own port, and then the name
that each client asked for (SNI), "-" for none, or "failed" for one that left."""
import asyncio
import ssl
import sys

cert, key, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.sni_callback = lambda connection, name, _: print(name or "-", flush=True)


async def carry(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof() if writer.can_write_eof() else writer.close()
    except OSError:
        writer.close()


async def serve(reader, writer):
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
    far_writer.close()


def fault(loop, what):
    if isinstance(what.get("exception"), ssl.SSLError):
        print("failed", flush=True)


async def main():
    asyncio.get_running_loop().set_exception_handler(fault)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
