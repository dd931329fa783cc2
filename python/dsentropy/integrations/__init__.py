"""Adapters of :class:`dsentropy.monitor.Monitor` for frameworks that train networks, one module a framework.

This package loads none of them: ``import dsentropy.integrations.torch`` needs PyTorch, and so on.
"""
