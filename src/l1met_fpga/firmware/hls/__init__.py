"""hls4ml projects: conversion, linter, C simulation, vendor runs."""
