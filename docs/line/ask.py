"""Sends one request to the line's Unix socket, and prints the beginning of its answer."""
import socket
import sys

line = socket.socket(socket.AF_UNIX)
line.connect("line.socket")
line.sendall(sys.argv[1].encode() + b"\n")
print(line.makefile().readline().strip()[:120])
